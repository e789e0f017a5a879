#include "proxy/command/client_config/client_files.hpp"
#include "tests/proxy/command/client_config/made.hpp"

#include <doctest/doctest.h>
#include <string>

namespace archway::proxy {
namespace {

TEST_CASE("podman gets a mirror for each registry, named in the mirror's path") {
  CHECK(text_of(podman_files(wish_for(nullptr, {"docker.io"}))) ==
        client_file("podman/50-archway.conf"));
  CHECK(text_of(podman_files(wish_for("linux/arm/v7", {"docker.io"}))) ==
        client_file("podman/50-archway-platform.conf"));
  const auto two = text_of(podman_files(wish_for()));
  CHECK(two.starts_with(client_file("podman/50-archway.conf") + "\n[[registry]]\n"));
  CHECK(two.ends_with("location = \"127.0.0.1:5000/ghcr.io\"\ninsecure = true\n"));
  CHECK(files_of(podman_files(wish_for())).files[0].path ==
        "/etc/containers/registries.conf.d/50-archway.conf");
  check_no_build_in_path(podman_files);
}

TEST_CASE("podman is not told to be insecure where the gateway speaks https") {
  auto wish = wish_for(nullptr, {"docker.io"});
  wish.gateway = *resolver::Url::parse("https://archway.lan");
  const auto text = text_of(podman_files(wish));
  CHECK(text.find("insecure") == std::string::npos);
  CHECK(text.ends_with("location = \"archway.lan/docker.io\"\n"));
}

TEST_CASE("CRI-O reads podman's file") {
  const auto crio = files_of(crio_files(wish_for("linux/arm64")));
  const auto podman = files_of(podman_files(wish_for("linux/arm64")));
  CHECK(crio.files[0].path == podman.files[0].path);
  CHECK(crio.files[0].text == podman.files[0].text);
  CHECK(crio.next == "systemctl reload crio");
  CHECK(podman.next.empty());
  check_no_build_in_path(crio_files);
}

}  // namespace
}  // namespace archway::proxy
