#pragma once

#include "metrics/log.hpp"
#include "metrics/metrics.hpp"
#include "proxy/access/authorization.hpp"
#include "proxy/config/settings.hpp"
#include "proxy/upstream/health.hpp"
#include "proxy/upstream/registry.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace archway::proxy {

/// What the threads' upstream clients share: resolved names, tokens, TLS contexts. Long-lived.
/// Threads: any.
class UpstreamShared {
 public:
  /// Reads CA files. Contacts nobody. Errors: Errc::configuration_invalid.
  static Result<std::shared_ptr<UpstreamShared>> make(const Settings& settings, metrics::Log* log,
                                                      metrics::Metrics* metrics);
  virtual ~UpstreamShared() = default;

  /// Reads CA and certificate files again, for connections that are made from now on. Those of an
  /// upstream that cannot be used are logged, and its old ones stay.
  virtual void reload() = 0;
};

/// One thread's upstream clients, with their connection pools.
class Upstreams {
 public:
  static std::unique_ptr<Upstreams> make(std::shared_ptr<UpstreamShared> shared,
                                         boost::asio::any_io_executor executor);
  virtual ~Upstreams() = default;

  /// nullptr for a name that is not configured.
  virtual Registry* find(std::string_view name) = 0;

  /// How the URLs of all upstreams are, in the configuration's order.
  virtual std::vector<Health::State> states() const = 0;
  /// True when little is left of the upstream's rate limit: what need not be asked should not be.
  virtual bool budget_is_low(std::string_view name) const = 0;

  /// The upstream as it is for somebody with these credentials, by connections and tokens of its
  /// own: what they are good for goes with it. nullptr for a name that is not configured.
  virtual std::shared_ptr<Registry> find_as(std::string_view name, const Shown& shown) = 0;

  /// Who lends: `who` is the same for the same credentials; `refused` is called, on this thread,
  /// when the upstream denies them what it gave them before.
  struct Lender {
    std::string who;
    std::function<void()> refused;
  };
  /// Until the result is dropped find() asks for this image with these credentials, where archway
  /// has none of its own (is_borrowed()), unless they are refused.
  virtual std::shared_ptr<void> lend(const ImageName& image, const Shown& shown, Lender lender) = 0;
  /// A share in what was lent for it, nullptr without: for work that goes on without its client.
  virtual std::shared_ptr<void> loan_of(const ImageName& image) = 0;

  /// Closes idle connections; those in use end by themselves.
  virtual void close() = 0;
};

}  // namespace archway::proxy
