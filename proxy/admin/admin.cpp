#include "proxy/admin/admin.hpp"

#include <string_view>
#include <utility>

namespace archway::proxy {
namespace {

Response text(std::uint16_t status, std::string body,
              std::string_view type = "text/plain; charset=utf-8") {
  Response response{.status = status};
  response.fields.add("Content-Type", type);
  response.fields.add("Cache-Control", "no-store");
  response.body = bytes_body(std::move(body));
  return response;
}

}  // namespace

std::string Admin::exposition() const {
  const auto stats = cache_->stats();
  return metrics_->exposition({.cache_bytes = stats.totals.blob_bytes,
                               .cache_blobs = stats.totals.blobs,
                               .cache_manifests = stats.totals.manifests,
                               .cache_tags = stats.totals.tags,
                               .fills_in_progress = stats.fills_in_progress,
                               .quarantined = stats.quarantined,
                               .log_lines_dropped = log_->dropped()});
}

Response Admin::answer(const Request& request) const {
  if (request.method == Method::other) {
    auto response = text(405, "Only GET and HEAD are answered here.\n");
    response.fields.add("Allow", "GET, HEAD");
    response.close = true;
    return response;
  }
  const auto path = std::string_view(request.target).substr(0, request.target.find('?'));
  if (path == "/metrics")
    return text(200, exposition(), "text/plain; version=0.0.4; charset=utf-8");
  if (path == "/healthz") return text(200, "alive\n");
  if (path == "/readyz") {
    return draining_->load() ? text(503, "draining: no new work is taken\n") : text(200, "ready\n");
  }
  return text(404, "Not here. There are /metrics, /healthz and /readyz.\n");
}

boost::asio::awaitable<Response> Admin::handle(std::shared_ptr<const Request> request) {
  co_return answer(*request);
}

Response Admin::refuse(std::uint16_t status, std::string why) {
  auto response = text(status, std::move(why) + "\n");
  response.close = true;
  return response;
}

}  // namespace archway::proxy
