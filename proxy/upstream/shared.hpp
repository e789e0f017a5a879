#pragma once

#include "proxy/config/settings.hpp"
#include "proxy/upstream/exchange.hpp"
#include "proxy/upstream/health.hpp"
#include "proxy/upstream/names.hpp"
#include "proxy/upstream/request_flow.hpp"
#include "proxy/upstream/suspects.hpp"
#include "proxy/upstream/throttle.hpp"
#include "proxy/upstream/tokens.hpp"
#include "proxy/upstream/upstreams.hpp"
#include "proxy/upstream/ways.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <memory>
#include <vector>

namespace archway::proxy {

/// What is behind UpstreamShared. Immutable but for names, tokens and certificates, which lock
/// inside.
struct SharedParts final : UpstreamShared {
  /// One place of an upstream; those of one upstream stand side by side in their order.
  struct Entry {
    std::shared_ptr<const Settings::Upstream> upstream;  ///< `url` is this place, the only one
    std::shared_ptr<Suspects> suspects;                  ///< of all the upstream's places
    Ways ways;
    std::shared_ptr<Health> health;  ///< of this place
    Throttle throttle;               ///< of the whole upstream
    bool borrows = false;    ///< may be asked with clients' credentials, for want of its own
    std::string bears = {};  ///< a Bearer token to begin with; "" : none
  };

  /// As UpstreamShared::make, with names resolved in another way.
  static Result<std::shared_ptr<SharedParts>> make(const Settings& settings, metrics::Log* log,
                                                   metrics::Metrics* metrics, Names::Options names);

  void reload() override;

  /// What one thread talks to an upstream with. They hold the parts they need.
  std::shared_ptr<Exchange> exchange(const Entry& entry,
                                     const boost::asio::any_io_executor& executor) const;
  std::shared_ptr<RequestFlow> flow(const Entry& entry,
                                    const boost::asio::any_io_executor& executor) const;

  std::vector<Entry> entries;
  bool offline = false;
  Settings::Timeouts timeouts;
  std::shared_ptr<Names> names;
  std::shared_ptr<Tokens> tokens;
  metrics::Log* log = nullptr;
  metrics::Metrics* metrics = nullptr;
};

}  // namespace archway::proxy
