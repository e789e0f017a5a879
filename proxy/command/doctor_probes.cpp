#include "proxy/command/doctor_probes.hpp"

#include "proxy/command/client_config/client_files.hpp"
#include "resolver/model/media_type.hpp"

#include <algorithm>
#include <array>

namespace archway::proxy {
namespace {

constexpr std::array usual = {"linux/amd64", "linux/arm64", "linux/arm/v7"};

void add(std::vector<Platform>& platforms, const Platform& platform) {
  const bool known = std::find(platforms.begin(), platforms.end(), platform) != platforms.end();
  if (!known) platforms.push_back(platform);
}

std::vector<Platform> platforms_of(const Settings& settings) {
  std::vector<Platform> platforms;
  for (const char* text : usual) {
    if (const auto platform = Platform::parse(text)) add(platforms, *platform);
  }
  for (const auto& listener : settings.listen) {
    if (listener.platform) add(platforms, *listener.platform);
  }
  for (const auto& [host, platform] : settings.platforms.hosts) add(platforms, platform);
  for (const auto& [name, platform] : settings.platforms.certificates) add(platforms, platform);
  for (const auto& rule : settings.platforms.clients) add(platforms, rule.platform);
  return platforms;
}

void add_stated(const Platform& platform, const std::string& image, std::vector<Probe>& probes) {
  const auto text = platform.str();
  probes.push_back(
      {.client = text + " by header (containerd)", .query = {.image = image, .header = text}});
  const auto path = platform_path({.gateway = {}, .platform = platform});
  if (!path) return;
  constexpr std::string_view before = "/platform/";
  probes.push_back({.client = text + " by path (docker, podman, k3s)",
                    .query = {.image = image, .path = path->substr(before.size())}});
}

void add_configured(const Settings& settings, const std::string& image,
                    std::vector<Probe>& probes) {
  for (const auto& listener : settings.listen) {
    const auto port = std::to_string(listener.endpoint.port);
    // Port 0 is another one by now.
    if (!listener.platform || port == "0") continue;
    probes.push_back({.client = listener.platform->str() + " by port " + port,
                      .query = {.image = image, .port = port}});
  }
  for (const auto& [host, platform] : settings.platforms.hosts) {
    probes.push_back({.client = platform.str() + " by host name " + host,
                      .query = {.image = image, .host = host}});
  }
  for (const auto& [name, platform] : settings.platforms.certificates) {
    probes.push_back({.client = platform.str() + " by certificate " + name,
                      .query = {.image = image, .certificate = name}});
  }
  for (const auto& rule : settings.platforms.clients) {
    probes.push_back({.client = rule.platform.str() + " by address " + rule.from.str(),
                      .query = {.image = image, .from = rule.from.base.str()}});
  }
}

}  // namespace

std::vector<Probe> probes_for(const Settings& settings, const std::string& image) {
  std::vector<Probe> probes;
  for (const Platform& platform : platforms_of(settings)) add_stated(platform, image, probes);
  add_configured(settings, image, probes);
  probes.push_back({.client = "docker that states nothing",
                    .query = {.image = image,
                              .user_agent = "docker/28.0.0 go/go1.24 kernel/6.1.0 os/linux "
                                            "arch/arm64 UpstreamClient(Docker-Client/28.0.0 "
                                            "\\(linux\\))"},
                    .stated = false});
  probes.push_back({.client = "a client that knows no index and states nothing",
                    .query = {.image = image,
                              .accept = {std::string(media_type::docker_manifest),
                                         std::string(media_type::oci_manifest)}},
                    .stated = false});
  return probes;
}

}  // namespace archway::proxy
