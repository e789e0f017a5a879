#include "proxy/command/client_config/client_files.hpp"

namespace archway::proxy {
namespace {

constexpr std::string_view path = "/etc/containers/registries.conf.d/50-archway.conf";

/// The mirror is asked for names below its location: the platform and the upstream stand in front.
std::string block(const ClientWish& wish, const std::string& platform,
                  const std::string& upstream) {
  std::string text = "[[registry]]\nprefix = \"" + upstream + "\"\nlocation = \"" + upstream +
                     "\"\n\n[[registry.mirror]]\nlocation = \"" + wish.gateway.authority() +
                     platform + "/" + upstream + "\"\n";
  if (wish.gateway.scheme == "http") text += "insecure = true\n";
  return text;
}

}  // namespace

// Source: github.com/containers/image, docs/containers-registries.conf.5.md.
Result<ClientFiles> podman_files(const ClientWish& wish) {
  const auto platform = platform_path(wish);
  if (!platform) return platform.error();
  std::string text = first_line(path);
  bool first = true;
  for (const std::string& upstream : each_upstream(wish)) {
    text += (first ? "" : "\n") + block(wish, *platform, upstream);
    first = false;
  }
  return ClientFiles{.files = {{.path = std::string(path), .text = std::move(text)}},
                     .notes = {"buildah, skopeo and CRI-O read the same file."}};
}

Result<ClientFiles> crio_files(const ClientWish& wish) {
  auto made = podman_files(wish);
  if (!made) return made;
  made->notes = {"podman, buildah and skopeo read the same file."};
  made->next = "systemctl reload crio";
  return made;
}

}  // namespace archway::proxy
