#include "proxy/command/client_config/client_files.hpp"

namespace archway::proxy {
namespace {

constexpr std::string_view path = "/etc/buildkit/buildkitd.toml";

}  // namespace

// Source: docs.docker.com, "buildkitd.toml", section "Registry".
Result<ClientFiles> buildkit_files(const ClientWish& wish) {
  const auto platform = platform_path(wish);
  if (!platform) return platform.error();
  const auto authority = wish.gateway.authority();
  std::string text = first_line(path);
  for (const std::string& upstream : each_upstream(wish)) {
    text += "[registry.\"" + upstream + "\"]\n  mirrors = [\"" + authority + *platform + "/" +
            upstream + "\"]\n";
  }
  if (wish.gateway.scheme == "http") text += "[registry.\"" + authority + "\"]\n  http = true\n";
  ClientFiles made{.files = {{.path = std::string(path),
                              .text = text,
                              .combine = only_ours(std::string(path), text)}},
                   .next = "systemctl restart buildkit"};
  made.notes.emplace_back(
      "For a builder of docker buildx: docker buildx create --buildkitd-config buildkitd.toml.");
  if (wish.platform) {
    made.notes.emplace_back(
        "With a platform in the path every build on this builder gets base images for that one, "
        "whatever --platform says; leave it out where builders cross-build.");
  }
  return made;
}

}  // namespace archway::proxy
