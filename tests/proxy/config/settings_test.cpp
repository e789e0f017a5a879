#include "proxy/config/settings.hpp"

#include "tests/proxy/config/reading.hpp"

#include <doctest/doctest.h>

namespace archway::proxy {
namespace {

using Texts = std::vector<std::string>;

TEST_CASE("an endpoint is printed as it is written in a configuration") {
  CHECK(Settings::Endpoint{.address = "127.0.0.1", .port = 1}.str() == "127.0.0.1:1");
  CHECK(Settings::Endpoint{.address = "::1", .port = 0}.str() == "[::1]:0");
  CHECK(Settings::Endpoint{.unix_path = "/a"}.str() == "unix:/a");
}

TEST_CASE("the resolver gets names, aliases, hosts and the default") {
  const auto names = upstream_names(settings_of(
      "upstreams: [{name: quay.io, default: true, hosts: [quay.lan]}, {name: docker.io}]"));
  REQUIRE(names.entries.size() == 2);
  CHECK(names.default_name == "quay.io");
  CHECK(names.entries[0].name == "quay.io");
  CHECK(names.entries[0].aliases.empty());
  CHECK(names.entries[0].hosts == Texts{"quay.lan"});
  CHECK_FALSE(names.entries[0].adds_library);
  CHECK(names.entries[1].aliases == Texts{"index.docker.io", "registry-1.docker.io"});
  CHECK(names.entries[1].adds_library);
}

TEST_CASE("an upstream's own name is stronger than another's alias") {
  const auto names =
      upstream_names(settings_of("upstreams: [{name: docker.io}, {name: index.docker.io}]"));
  CHECK(names.entries[0].aliases == Texts{"registry-1.docker.io"});
  CHECK(names.default_name.empty());
}

}  // namespace
}  // namespace archway::proxy
