#include "proxy/admin/explain.hpp"

#include "proxy/admin/answer.hpp"
#include "proxy/admin/image_name.hpp"
#include "proxy/pull/explain.hpp"

#include <algorithm>
#include <utility>

namespace archway::proxy {

namespace net = boost::asio;

namespace {

/// What containerd 2 sends when it resolves a tag.
constexpr std::string_view accept_of_containerd =
    "application/vnd.docker.distribution.manifest.v2+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json, "
    "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, */*";

std::string ports_of(const std::vector<Settings::Listener>& listeners) {
  std::string list;
  for (const auto& listener : listeners) {
    list += (list.empty() ? "" : ", ") + std::to_string(listener.endpoint.port);
  }
  return list;
}

/// The listener that the client comes by: the first with the port, or simply the first.
Result<const Settings::Listener*> listener_of(const Query& query,
                                              const std::vector<Settings::Listener>& listeners) {
  const auto port = query.find("port");
  for (const auto& listener : listeners) {
    if (!port || std::to_string(listener.endpoint.port) == *port) return &listener;
  }
  if (!port) return static_cast<const Settings::Listener*>(nullptr);
  return bad_parameter(
      "port", "found " + shown(*port) + "; there are listeners on port " + ports_of(listeners));
}

Result<std::shared_ptr<const Peer>> peer_of(const Query& query,
                                            const std::vector<Settings::Listener>& listeners) {
  auto peer = std::make_shared<Peer>();
  const auto address = resolver::Address::parse(query.find("from").value_or("127.0.0.1"));
  if (!address) return bad_parameter("from", address.error().message);
  peer->address = *address;
  const auto listener = listener_of(query, listeners);
  if (!listener) return listener.error();
  if (*listener) {
    peer->listener_platform = (*listener)->platform;
    peer->tls = (*listener)->tls.has_value();
  }
  peer->server_name = query.find("server_name").value_or("");
  peer->certificate = query.find("certificate").value_or("");
  return std::shared_ptr<const Peer>(std::move(peer));
}

Result<Method> method_of(const Query& query) {
  const auto method = query.find("method").value_or("HEAD");
  if (method == "GET") return Method::get;
  if (method == "HEAD") return Method::head;
  return bad_parameter("method", "found " + shown(method) + "; allowed: GET and HEAD");
}

/// `/v2/[platform/TOKEN/]HOST/REPOSITORY/manifests/REFERENCE`.
Result<std::string> target_of(const Query& query, const Settings& settings) {
  const auto text = query.need("image", "docker.io/library/golang:1.22");
  if (!text) return text.error();
  const auto named = read_image_name(*text, upstream_names(settings));
  if (!named) return bad_parameter("image", named.error().message);
  std::string target = "/v2/";
  if (const auto token = query.find("path")) {
    // What is no token could be another target.
    const auto platform = Platform::parse_token(*token);
    if (!platform) return bad_parameter("path", platform.error().message);
    target += "platform/" + *token + "/";
  }
  return target + named->image.str() + "/manifests/" +
         (named->reference ? str(*named->reference) : "latest");
}

Result<Fields> fields_of(const Query& query, const Settings& settings) {
  Fields fields;
  fields.add("Host", query.find("host").value_or("localhost"));
  const auto platform = query.find("platform");
  const auto header = query.find("header");
  if (platform && header) {
    return bad_parameter("platform", "it is short for header, which stands there, too");
  }
  if (platform || header) fields.add(settings.platforms.header, platform ? *platform : *header);
  if (const auto agent = query.find("user_agent")) fields.add("User-Agent", *agent);
  const auto accept = query.all("accept");
  for (const auto& line : accept) fields.add("Accept", line);
  if (accept.empty()) fields.add("Accept", accept_of_containerd);
  return fields;
}

}  // namespace

std::vector<Parameter> explain_parameters() {
  return {{"image"}, {"platform"},    {"header"}, {"path"},        {"user_agent"},   {"from"},
          {"host"},  {"server_name"}, {"port"},   {"certificate"}, {"accept", true}, {"method"}};
}

Result<std::shared_ptr<const Request>> request_to_explain(
    const Query& query, const Settings& settings,
    const std::vector<Settings::Listener>& listeners) {
  auto request = std::make_shared<Request>();
  auto target = target_of(query, settings);
  if (!target) return std::move(target).error();
  request->target = *std::move(target);
  auto fields = fields_of(query, settings);
  if (!fields) return std::move(fields).error();
  request->fields = *std::move(fields);
  auto peer = peer_of(query, listeners);
  if (!peer) return std::move(peer).error();
  request->peer = *std::move(peer);
  const auto method = method_of(query);
  if (!method) return method.error();
  request->method = *method;
  return std::shared_ptr<const Request>(std::move(request));
}

net::awaitable<Response> answer_explain(AdminParts* parts, Query query) {
  auto request = request_to_explain(query, parts->settings(), *parts->listeners);
  if (!request) co_return error_answer(request.error());
  const auto explanation = co_await explain(&parts->pull, *std::move(request));
  co_return json_answer(200, explanation_json(explanation));
}

}  // namespace archway::proxy
