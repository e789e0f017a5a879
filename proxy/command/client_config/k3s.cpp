#include "proxy/command/client_config/client_files.hpp"

namespace archway::proxy {
namespace {

constexpr std::string_view path = "/etc/rancher/k3s/registries.yaml";

}  // namespace

// A path has to begin with /v2 here: k3s then passes it on as it is.
// Source: docs.k3s.io, "Private Registry Configuration".
Result<ClientFiles> k3s_files(const ClientWish& wish) {
  const auto platform = platform_path(wish);
  if (!platform) return platform.error();
  const auto endpoint = wish.gateway.origin() + (platform->empty() ? "" : "/v2" + *platform);
  auto names = wish.upstreams;
  if (names.empty()) names = {"*"};
  std::string text = first_line(path) + "mirrors:\n";
  for (const std::string& name : names) {
    text += "  \"" + name + "\":\n    endpoint:\n      - \"" + endpoint + "\"\n";
  }
  return ClientFiles{.files = {{.path = std::string(path),
                                .text = text,
                                .combine = only_ours(std::string(path), text)}},
                     .notes = {"Every node needs this file, agents too."},
                     .next = "systemctl restart k3s (on agents: k3s-agent)"};
}

}  // namespace archway::proxy
