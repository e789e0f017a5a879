#include "proxy/config/defaults.hpp"

#include "proxy/config/known_upstreams.hpp"

namespace archway::proxy {
namespace {

std::filesystem::path cache_directory(const Environment& environment) {
  const std::filesystem::path for_all = "/var/cache/archway";
  if (environment.root) return for_all;
  // Source: XDG Base Directory Specification 0.8: a relative path counts as not set.
  const auto absolute = [&](const char* name) -> std::filesystem::path {
    const std::filesystem::path path = environment.variable(name).value_or("");
    return path.is_absolute() ? path : std::filesystem::path();
  };
  if (const auto base = absolute("XDG_CACHE_HOME"); !base.empty()) return base / "archway";
  if (const auto home = absolute("HOME"); !home.empty()) return home / ".cache" / "archway";
  return for_all;
}

}  // namespace

Settings::Upstream upstream_by_name(const std::string& name) {
  const KnownUpstream* known = find_known_upstream(name);
  std::string url = "https://" + name;
  if (known != nullptr && !known->url.empty()) url = known->url;
  Settings::Upstream upstream{.name = name, .url = *resolver::Url::parse(url)};
  if (known != nullptr && !known->token_realm.empty()) {
    upstream.token_realms.emplace_back(known->token_realm);
  }
  return upstream;
}

Settings default_settings(const Environment& environment) {
  Settings settings;
  settings.listen = {{.endpoint = {.address = "0.0.0.0", .port = 5000}}};
  settings.admin = Settings::Endpoint{.address = "127.0.0.1", .port = 5001};
  settings.cache = {.directory = cache_directory(environment),
                    .max_size = 0,
                    .keep_free = keep_free_default,
                    .strict = true,
                    .scrub = std::chrono::days(30)};
  for (const KnownUpstream& known : known_upstreams()) {
    settings.upstreams.push_back(upstream_by_name(std::string(known.name)));
    settings.upstreams.back().proxy = proxies_of(environment);
  }
  settings.upstreams.front().is_default = true;
  return settings;
}

}  // namespace archway::proxy
