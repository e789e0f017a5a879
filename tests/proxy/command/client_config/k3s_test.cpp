#include "proxy/command/client_config/client_files.hpp"
#include "tests/proxy/command/client_config/made.hpp"

#include <doctest/doctest.h>
#include <string>

namespace archway::proxy {
namespace {

TEST_CASE("k3s gets an endpoint for all registries, with a path that begins with /v2") {
  CHECK(text_of(k3s_files(wish_for("linux/arm64"))) == client_file("k3s/registries.yaml"));
  CHECK(text_of(k3s_files(wish_for())) ==
        "mirrors:\n  \"*\":\n    endpoint:\n      - \"http://127.0.0.1:5000\"\n");
  const auto made = files_of(k3s_files(wish_for()));
  CHECK(made.files[0].path == "/etc/rancher/k3s/registries.yaml");
  CHECK(made.next == "systemctl restart k3s (on agents: k3s-agent)");
  check_no_build_in_path(k3s_files);
}

TEST_CASE("k3s gets an endpoint for each registry that was named") {
  CHECK(text_of(k3s_files(wish_for(nullptr, {"docker.io", "registry.lan:5000"}))) ==
        "mirrors:\n  \"docker.io\":\n    endpoint:\n      - \"http://127.0.0.1:5000\"\n"
        "  \"registry.lan:5000\":\n    endpoint:\n      - \"http://127.0.0.1:5000\"\n");
}

TEST_CASE("k3s' file is written over when it is ours alone") {
  const auto made = files_of(k3s_files(wish_for("linux/arm64")));
  const auto again = made.files[0].combine(files_of(k3s_files(wish_for())).files[0].text);
  REQUIRE(again);
  CHECK(*again == made.files[0].text);
  CHECK_FALSE(made.files[0].combine(client_file("k3s/registries.yaml")));
}

}  // namespace
}  // namespace archway::proxy
