#include "proxy/command/client_config/client_files.hpp"

#include <algorithm>

namespace archway::proxy {
namespace {

constexpr std::string_view mark = ", written by archway client-config";

}  // namespace

std::span<const Client> clients() {
  static const std::vector<Client> all = {
      {"docker",
       docker_files,
       {"/usr/bin/dockerd", "/usr/sbin/dockerd", "/usr/local/bin/dockerd", "/snap/bin/dockerd"}},
      {"containerd", containerd_files, {"/usr/bin/containerd", "/usr/local/bin/containerd"}},
      {"k3s", k3s_files, {"/usr/local/bin/k3s", "/usr/bin/k3s", "/opt/bin/k3s"}},
      {"podman", podman_files, {"/usr/bin/podman", "/usr/local/bin/podman", "/usr/bin/buildah"}},
      {"crio", crio_files, {"/usr/bin/crio", "/usr/local/bin/crio"}},
      {"buildkit", buildkit_files, {"/usr/bin/buildkitd", "/usr/local/bin/buildkitd"}},
      {"talos", talos_files, {}},
  };
  return all;
}

std::string first_line(std::string_view path) {
  return "# " + std::string(path) + std::string(mark) + "\n";
}

std::function<Result<std::string>(const std::string&)> only_ours(const std::string& path,
                                                                 const std::string& text) {
  return [path, text](const std::string& existing) -> Result<std::string> {
    const auto line = std::string_view(existing).substr(0, existing.find('\n'));
    if (line.starts_with("# ") && line.find(mark) != std::string_view::npos) return text;
    return Error{.code = Errc::configuration_invalid,
                 .origin = Origin::configuration,
                 .message = path +
                            " was not written by archway, and two such files cannot be merged "
                            "safely; nothing was changed. Run the same command without --install "
                            "and add what it prints by hand"};
  };
}

Result<std::string> platform_path(const ClientWish& wish) {
  if (!wish.platform) return std::string();
  auto token = wish.platform->str();
  std::replace(token.begin(), token.end(), '/', '-');
  const auto read = Platform::parse_token(token);
  if (read && *read == wish.platform->normalised()) return "/platform/" + token;
  return Error{.code = Errc::platform_invalid,
               .origin = Origin::configuration,
               .message = "this client states its platform by a path, and a path cannot say " +
                          wish.platform->str() +
                          "; allowed: a known os/architecture[/variant]. A listener or an "
                          "address rule of the gateway can say it"};
}

const std::vector<std::string>& each_upstream(const ClientWish& wish) {
  return wish.upstreams.empty() ? wish.known : wish.upstreams;
}

}  // namespace archway::proxy
