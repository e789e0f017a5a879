#include "proxy/command/client_config/client_files.hpp"

namespace archway::proxy {
namespace {

constexpr std::string_view path = "archway.yaml";

}  // namespace

// Source: docs.siderolabs.com, Talos reference, "RegistryMirrorConfig".
Result<ClientFiles> talos_files(const ClientWish& wish) {
  const auto platform = platform_path(wish);
  if (!platform) return platform.error();
  auto names = wish.upstreams;
  if (names.empty()) names = {"*"};
  std::string text = first_line(path);
  bool first = true;
  for (const std::string& name : names) {
    text += std::string(first ? "" : "---\n") +
            "apiVersion: v1alpha1\nkind: RegistryMirrorConfig\nname: \"" + name +
            "\"\nendpoints:\n  - url: \"" + wish.gateway.origin();
    first = false;
    text += platform->empty() ? "\"\n" : "/v2" + *platform + "\"\n    overridePath: true\n";
  }
  return ClientFiles{.files = {{.path = std::string(path), .text = std::move(text)}},
                     .notes = {"This is for Talos 1.12 and later; earlier ones have the same under "
                               "machine.registries.mirrors of the machine configuration."},
                     .next = "talosctl patch machineconfig --nodes NODE --patch @archway.yaml"};
}

}  // namespace archway::proxy
