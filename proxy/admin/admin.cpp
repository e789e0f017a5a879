#include "proxy/admin/admin.hpp"

#include "proxy/admin/answer.hpp"
#include "proxy/admin/endpoints.hpp"
#include "proxy/cache_options.hpp"

#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

namespace archway::proxy {
namespace {

bool is_below_api(std::string_view target) {
  return target == "/api" || target.starts_with("/api/") || target.starts_with("/api?");
}

/// Numbers by an enumeration, each with its word.
template <class Words, class Counts>
metrics::Metrics::Snapshot::Labelled named(const Words& words, const Counts& counts) {
  metrics::Metrics::Snapshot::Labelled list;
  for (const auto word : words) {
    list.emplace_back(name(word), counts.at(static_cast<std::size_t>(word)));
  }
  return list;
}

std::vector<metrics::Metrics::Snapshot::Upstream> shown(const std::vector<Health::State>& states) {
  std::vector<metrics::Metrics::Snapshot::Upstream> list;
  for (const auto& state : states) {
    metrics::Metrics::Snapshot::Upstream one{
        .name = state.upstream,
        .url = state.url,
        .answers = state.answers,
        .held_s = static_cast<std::uint64_t>(state.held.count())};
    if (state.limit) {
      one.limit = state.limit->limit;
      one.remaining = state.limit->remaining;
    }
    list.push_back(std::move(one));
  }
  return list;
}

}  // namespace

Admin::Admin(AdminParts parts)
    : parts_(std::move(parts)),
      holdings_(parts_.pull.shared->cache, &parts_.names(),
                cache_options(parts_.settings()).is_pinned) {
  parts_.holdings = &holdings_;
  parts_.chore = &chore_;
}

std::string Admin::exposition() const {
  const auto& shared = *parts_.pull.shared;
  const auto stats = shared.cache->stats();
  return shared.metrics->exposition(
      {.cache_bytes = stats.totals.blob_bytes,
       .cache_limit = stats.space.limit,
       .cache_reserved = stats.space.reserved,
       .cache_evicted_blobs = stats.space.evicted_blobs,
       .cache_evicted_bytes = stats.space.evicted_bytes,
       .cache_blobs = stats.totals.blobs,
       .cache_manifests = stats.totals.manifests,
       .cache_tags = stats.totals.tags,
       .fills_in_progress = stats.fills_in_progress,
       .quarantined = stats.quarantined,
       .log_lines_dropped = shared.log->dropped(),
       .cache_damaged = named(cache::found_by_all, stats.damaged),
       .cache_write_errors = named(cache::refusals_all, stats.refusals),
       .upstreams = shown(parts_.pull.upstreams->states()),
       .cache_read_only = stats.read_only,
       .cache_out_of_service = stats.out_of_service,
       .cache_scrubbed_bytes = stats.scrubbed_bytes});
}

Response Admin::page(const Request& request) const {
  if (request.method != Method::get && request.method != Method::head) {
    auto response = text_answer(405, "Only GET and HEAD are answered here.\n");
    response.fields.add("Allow", "GET, HEAD");
    response.close = true;
    return response;
  }
  const auto path = std::string_view(request.target).substr(0, request.target.find('?'));
  if (path == "/metrics") {
    return text_answer(200, exposition(), "text/plain; version=0.0.4; charset=utf-8");
  }
  if (path == "/healthz") return text_answer(200, "alive\n");
  if (path == "/readyz") {
    return parts_.draining->load() ? text_answer(503, "draining: no new work is taken\n")
                                   : text_answer(200, "ready\n");
  }
  return text_answer(404, "Not here. There are /metrics, /healthz, /readyz and /api/v1/.\n");
}

boost::asio::awaitable<Response> Admin::handle(std::shared_ptr<const Request> request) {
  if (is_below_api(request->target)) co_return co_await answer_api(&parts_, request);
  co_return page(*request);
}

Response Admin::refuse(std::uint16_t status, std::string why) {
  auto response = text_answer(status, std::move(why) + "\n");
  response.close = true;
  return response;
}

}  // namespace archway::proxy
