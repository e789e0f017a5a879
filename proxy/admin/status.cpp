#include "proxy/admin/status.hpp"

#include "proxy/admin/answer.hpp"
#include "proxy/admin/holdings.hpp"
#include "proxy/version.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <functional>
#include <utility>

namespace archway::proxy {

namespace net = boost::asio;

namespace {

std::string_view client_certificates(const Settings::Listener& listener) {
  if (!listener.tls || listener.tls->client_ca.empty()) return "none";
  return listener.tls->client_required ? "require" : "ask";
}

}  // namespace

net::awaitable<Response> answer_status(AdminParts* parts) {
  const auto& shared = *parts->pull.shared;
  // What the disk still takes is a question to the disk.
  const std::function<boost::json::object()> ask = [holdings = parts->holdings] {
    return holdings->stats();
  };
  auto cache = co_await shared.disk->run<boost::json::object>(ask);
  const auto up = std::chrono::steady_clock::now() - parts->started;
  boost::json::object document{
      {"version", version},
      {"uptime_seconds", std::chrono::duration_cast<std::chrono::seconds>(up).count()},
      {"draining", parts->draining->load()},
      {"threads", parts->threads},
      {"cache", std::move(cache)}};
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
