#include "proxy/command/client_config/client_files.hpp"
#include "tests/proxy/command/client_config/made.hpp"

#include <doctest/doctest.h>
#include <string>

namespace archway::proxy {
namespace {

TEST_CASE("BuildKit gets a mirror for each registry, and is told that it speaks http") {
  CHECK(text_of(buildkit_files(wish_for("linux/arm64"))) ==
        "[registry.\"docker.io\"]\n"
        "  mirrors = [\"127.0.0.1:5000/platform/linux-arm64/docker.io\"]\n"
        "[registry.\"ghcr.io\"]\n"
        "  mirrors = [\"127.0.0.1:5000/platform/linux-arm64/ghcr.io\"]\n"
        "[registry.\"127.0.0.1:5000\"]\n"
        "  http = true\n");
  auto wish = wish_for(nullptr, {"docker.io"});
  wish.gateway = *resolver::Url::parse("https://archway.lan");
  CHECK(text_of(buildkit_files(wish)) ==
        "[registry.\"docker.io\"]\n  mirrors = [\"archway.lan/docker.io\"]\n");
  const auto made = files_of(buildkit_files(wish));
  CHECK(made.files[0].path == "/etc/buildkit/buildkitd.toml");
  CHECK(made.next == "systemctl restart buildkit");
  CHECK_FALSE(made.files[0].combine("debug = true\n"));
  check_no_build_in_path(buildkit_files);
}

TEST_CASE("who states a platform to a builder is warned about cross-building") {
  CHECK(files_of(buildkit_files(wish_for())).notes.size() == 1);
  const auto stated = files_of(buildkit_files(wish_for("linux/arm64"))).notes;
  REQUIRE(stated.size() == 2);
  CHECK(stated[1].find("cross-build") != std::string::npos);
}

}  // namespace
}  // namespace archway::proxy
