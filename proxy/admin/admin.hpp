#pragma once

#include "cache/cache.hpp"
#include "metrics/log.hpp"
#include "metrics/metrics.hpp"
#include "proxy/http/connection.hpp"

#include <atomic>
#include <memory>
#include <string>

namespace archway::proxy {

/// The operator's port: `/metrics` (Prometheus), `/healthz` (the process is alive), `/readyz` (it
/// can serve what is cached; never depends on the uplink; 503 while it drains).
///
/// Threads: one loop.
class Admin : public Handler {
 public:
  Admin(cache::Cache* cache, metrics::Log* log, metrics::Metrics* metrics,
        const std::atomic<bool>* draining)
      : cache_(cache), log_(log), metrics_(metrics), draining_(draining) {}

  boost::asio::awaitable<Response> handle(std::shared_ptr<const Request> request) override;
  Response refuse(std::uint16_t status, std::string why) override;

 private:
  Response answer(const Request& request) const;
  std::string exposition() const;

  cache::Cache* cache_;
  metrics::Log* log_;
  metrics::Metrics* metrics_;
  const std::atomic<bool>* draining_;
};

}  // namespace archway::proxy
