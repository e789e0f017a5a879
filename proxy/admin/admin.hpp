#pragma once

#include "proxy/admin/chore.hpp"
#include "proxy/admin/holdings.hpp"
#include "proxy/admin/parts.hpp"
#include "proxy/http/connection.hpp"

#include <cstddef>
#include <memory>
#include <string>

namespace archway::proxy {

/// The operator's port: `/metrics` (Prometheus), `/healthz` (the process is alive), `/readyz` (it
/// can serve what is cached; never depends on the uplink; 503 while it drains), and the API below
/// `/api/v1/` (docs/api.md).
///
/// Threads: one loop.
class Admin : public Handler {
 public:
  explicit Admin(AdminParts parts);

  boost::asio::awaitable<Response> handle(std::shared_ptr<const Request> request) override;
  Response refuse(std::uint16_t status, std::string why) override;
  /// Room for cached_digests_max digests in one query.
  std::size_t target_max() const override { return std::size_t{24} * 1024; }

 private:
  Response page(const Request& request) const;
  std::string exposition() const;

  AdminParts parts_;
  Holdings holdings_;
  Chore chore_;  // Last: its thread uses the others.
};

}  // namespace archway::proxy
