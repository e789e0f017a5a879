#pragma once

#include "cache/cache.hpp"
#include "metrics/metrics.hpp"
#include "proxy/disk_pool.hpp"
#include "proxy/pull/explain.hpp"
#include "proxy/pull/parts.hpp"
#include "tests/integration/gateway.hpp"
#include "tests/support/fakes.hpp"

#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>

namespace archway::test {

/// What pulls are made of, without a listener, and with a cache of its own: for the functions that
/// a client cannot call. Coroutines run while a call waits for one.
class Inside {
 public:
  /// The settings of a gateway that was not started, or was: only its cache is not shared.
  explicit Inside(proxy::Settings settings);
  ~Inside();
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;

  proxy::Explanation explain(const std::string& target, const Headers& headers = {});

  proxy::PullShared& shared() { return *shared_; }

 private:
  /// Coroutines use everything else here, so they go first.
  class Context : public boost::asio::io_context {
   public:
    Context() : io_context(1) {}
    void drop_coroutines() { shutdown(); }
  };

  ScratchDirectory directory_;
  proxy::Settings settings_;
  QuietLog log_;
  std::unique_ptr<metrics::Metrics> metrics_;
  std::unique_ptr<cache::Cache> cache_;
  proxy::DiskPool disk_{2};
  proxy::DiskPool publish_{1};
  Context context_;
  std::unique_ptr<proxy::PullShared> shared_;
  std::unique_ptr<proxy::Upstreams> upstreams_;
  proxy::PullParts parts_{};
};

}  // namespace archway::test
