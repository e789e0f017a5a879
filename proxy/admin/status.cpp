#include "proxy/admin/status.hpp"

#include "proxy/admin/answer.hpp"
#include "proxy/version.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <system_error>
#include <utility>

namespace archway::proxy {

namespace net = boost::asio;

namespace {

using Free = std::optional<std::uintmax_t>;

/// Bytes that the cache's disk still takes; none where the system does not say.
Free free_bytes(const std::filesystem::path& directory) {
  std::error_code error;
  const auto space = std::filesystem::space(directory, error);
  return error ? std::nullopt : Free(space.available);
}

boost::json::object cache_document(const cache::Cache& cache, const Free& free) {
  const auto stats = cache.stats();
  boost::json::object document{{"directory", cache.directory().string()},
                               {"blobs", stats.totals.blobs},
                               {"blob_bytes", stats.totals.blob_bytes},
                               {"manifests", stats.totals.manifests},
                               {"tags", stats.totals.tags},
                               {"fills_in_progress", stats.fills_in_progress},
                               {"quarantined", stats.quarantined},
                               {"disk_free_bytes", nullptr}};
  if (free) document["disk_free_bytes"] = *free;
  return document;
}

std::string_view client_certificates(const Settings::Listener& listener) {
  if (!listener.tls || listener.tls->client_ca.empty()) return "none";
  return listener.tls->client_required ? "require" : "ask";
}

}  // namespace

net::awaitable<Response> answer_status(AdminParts* parts) {
  const auto& shared = *parts->pull.shared;
  const std::function<Free()> ask = [directory = shared.cache->directory()] {
    return free_bytes(directory);
  };
  const auto free = co_await shared.disk->run<Free>(ask);
  const auto up = std::chrono::steady_clock::now() - parts->started;
  boost::json::object document{
      {"version", version},
      {"uptime_seconds", std::chrono::duration_cast<std::chrono::seconds>(up).count()},
      {"draining", parts->draining->load()},
      {"threads", parts->threads},
      {"cache", cache_document(*shared.cache, free)}};
  co_return json_answer(200, boost::json::value(std::move(document)));
}

Response answer_listeners(const AdminParts& parts) {
  boost::json::array list;
  for (const auto& listener : *parts.listeners) {
    boost::json::object document{{"address", listener.endpoint.str()},
                                 {"tls", listener.tls.has_value()},
                                 {"platform", nullptr},
                                 {"client_certificates", client_certificates(listener)}};
    if (listener.platform) document["platform"] = listener.platform->str();
    list.push_back(std::move(document));
  }
  return json_answer(200, boost::json::value(std::move(list)));
}

}  // namespace archway::proxy
