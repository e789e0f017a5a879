#include "proxy/command/client_config/client_files.hpp"
#include "tests/proxy/command/client_config/made.hpp"

#include <doctest/doctest.h>
#include <string>

namespace archway::proxy {
namespace {

TEST_CASE("containerd gets one file for all registries, with the platform in a header") {
  CHECK(text_of(containerd_files(wish_for())) == client_file("containerd/hosts.toml"));
  CHECK(text_of(containerd_files(wish_for("linux/arm64"))) ==
        client_file("containerd/hosts-platform.toml"));
  const auto made = files_of(containerd_files(wish_for()));
  CHECK(made.files[0].path == "/etc/containerd/certs.d/_default/hosts.toml");
  CHECK(made.next.empty());
}

TEST_CASE("a header says a Windows build, and bears the gateway's own name for it") {
  auto wish = wish_for("windows(10.0.20348)/amd64");
  wish.header = "X-Platform";
  const auto text = text_of(containerd_files(wish));
  CHECK(text.ends_with("    X-Platform = \"windows(10.0.20348)/amd64\"\n"));
}

TEST_CASE("for some registries alone containerd gets a file each") {
  const auto made =
      files_of(containerd_files(wish_for(nullptr, {"docker.io", "registry.lan:5000"})));
  REQUIRE(made.files.size() == 2);
  CHECK(made.files[0].path == "/etc/containerd/certs.d/docker.io/hosts.toml");
  CHECK(made.files[1].path == "/etc/containerd/certs.d/registry.lan:5000/hosts.toml");
  for (const ClientFile& file : made.files) CHECK_FALSE(file.combine);
}

TEST_CASE("containerd's note has the configuration that makes it look there") {
  const auto made = files_of(containerd_files(wish_for()));
  REQUIRE(made.notes.size() == 1);
  CHECK((made.notes[0] + "\n").ends_with(client_file("containerd/config.toml")));
}

}  // namespace
}  // namespace archway::proxy
