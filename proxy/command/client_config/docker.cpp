#include "proxy/command/client_config/client_files.hpp"
#include "proxy/command/json_text.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

namespace archway::proxy {
namespace {

namespace json = boost::json;

constexpr std::string_view path = "/etc/docker/daemon.json";
constexpr std::string_view key = "registry-mirrors";

Error refused(const std::string& why) {
  return {.code = Errc::configuration_invalid,
          .origin = Origin::configuration,
          .message = std::string(path) + " " + why + "; nothing was changed. Correct it first"};
}

/// True for a mirror that is this gateway, whatever platform its path says.
bool is_gateway(const json::value& mirror, const resolver::Url& gateway) {
  if (!mirror.is_string()) return false;
  const auto text = mirror.as_string();
  const auto url = resolver::Url::parse(std::string_view(text.data(), text.size()));
  return url && url->origin() == gateway.origin();
}

/// The file as it is, with ours as the first mirror; one of ours that was there goes.
Result<std::string> merged(const std::string& existing, const std::string& mirror,
                           const resolver::Url& gateway) {
  json::object settings;
  const bool blank = existing.find_first_not_of(" \t\r\n") == std::string::npos;
  if (!blank) {
    json::error_code error;
    const auto value = json::parse(existing, error);
    if (error) return refused("is no JSON (" + error.message() + ")");
    if (!value.is_object()) return refused("is no JSON object");
    settings = value.as_object();
  }
  json::array mirrors = {json::string(mirror)};
  if (const json::value* others = settings.if_contains(key)) {
    if (!others->is_array()) return refused("has a " + std::string(key) + " that is no list");
    for (const json::value& other : others->as_array()) {
      if (!is_gateway(other, gateway)) mirrors.push_back(other);
    }
  }
  settings[key] = std::move(mirrors);
  return pretty_json(settings);
}

std::vector<std::string> notes(const ClientWish& wish, const std::string& mirror) {
  std::vector<std::string> notes = {"This belongs into " + std::string(path) +
                                    ", beside what is there."};
  if (wish.platform) {
    notes.push_back(
        "dockerd takes a mirror with a path from version 25 on. For an older one give "
        "archway a listener of its own (listen: [{address: 0.0.0.0:5007, platform: " +
        wish.platform->str() + "}]) and say that one's URL with --url, without --platform.");
  } else {
    notes.push_back(
        "No platform is stated: dockerd gets the index and chooses. --platform or "
        "--detect states one, from dockerd 25 on.");
  }
  const auto beside_hub = [](const std::string& name) { return name != "docker.io"; };
  if (std::any_of(wish.upstreams.begin(), wish.upstreams.end(), beside_hub)) {
    notes.push_back(
        "dockerd mirrors Docker Hub alone; pull others by the gateway's name, such as " +
        wish.gateway.authority() + "/" + wish.upstreams.back() + "/IMAGE.");
  }
  if (wish.gateway.scheme == "http" && !mirror.starts_with("http://127.")) {
    notes.push_back(
        "Pulling by the gateway's own name over http also needs \"insecure-registries\": [\"" +
        wish.gateway.authority() + "\"].");
  }
  return notes;
}

}  // namespace

// Source: docs.docker.com, "dockerd", section "Daemon configuration file".
Result<ClientFiles> docker_files(const ClientWish& wish) {
  const auto platform = platform_path(wish);
  if (!platform) return platform.error();
  const auto mirror = wish.gateway.origin() + *platform;
  const auto gateway = wish.gateway;
  json::object settings;
  settings[key] = json::array{json::string(mirror)};
  return ClientFiles{.files = {{.path = std::string(path),
                                .text = pretty_json(settings),
                                .combine =
                                    [mirror, gateway](const std::string& existing) {
                                      return merged(existing, mirror, gateway);
                                    }}},
                     .notes = notes(wish, mirror),
                     .next = "systemctl reload docker"};
}

}  // namespace archway::proxy
