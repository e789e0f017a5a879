#include "proxy/command/client_config/client_files.hpp"

namespace archway::proxy {
namespace {

constexpr std::string_view folder = "/etc/containerd/certs.d";

/// Without this containerd does not look into the folder.
constexpr std::string_view config_note =
    R"(containerd looks there when /etc/containerd/config.toml has (from 2.0 on with version = 3 and
io.containerd.cri.v1.images in place of io.containerd.grpc.v1.cri; then restart it once):

version = 2

[plugins."io.containerd.grpc.v1.cri".registry]
  config_path = "/etc/containerd/certs.d")";

std::string hosts_toml(const ClientWish& wish) {
  const auto origin = wish.gateway.origin();
  std::string text = "[host.\"" + origin + "\"]\n  capabilities = [\"pull\", \"resolve\"]\n";
  if (wish.platform) {
    text += "  [host.\"" + origin + "\".header]\n    " + wish.header + " = \"" +
            wish.platform->str() + "\"\n";
  }
  return text;
}

}  // namespace

// Source: github.com/containerd/containerd, docs/hosts.md.
Result<ClientFiles> containerd_files(const ClientWish& wish) {
  ClientFiles made;
  // One file answers for every registry that has none of its own.
  auto names = wish.upstreams;
  if (names.empty()) names = {"_default"};
  for (const std::string& name : names) {
    const auto path = std::string(folder) + "/" + name + "/hosts.toml";
    made.files.push_back({.path = path, .text = first_line(path) + hosts_toml(wish)});
  }
  made.notes.emplace_back(config_note);
  return made;
}

}  // namespace archway::proxy
