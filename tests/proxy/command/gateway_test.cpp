#include "proxy/command/gateway.hpp"

#include "tests/proxy/command/pull_bench.hpp"

#include <doctest/doctest.h>
#include <string>
#include <vector>

namespace archway::proxy {
namespace {

Result<Gateway> find_by_admin(PullBench& bench) {
  PullOptions options;
  options.admin.admin = bench.admin_host();
  return find_gateway(options, bench.surroundings().environment);
}

TEST_CASE("the admin port says where clients of any platform come in") {
  struct Row {
    const char* why;
    const char* listeners;
    const char* host;
    bool plain;
  };
  const std::vector<Row> rows{
      {"an address as it is", R"([{"address":"10.0.0.5:5000","tls":false}])", "10.0.0.5:5000",
       true},
      {"every address: the one the admin port has", R"([{"address":"0.0.0.0:5000","tls":false}])",
       "127.0.0.1:5000", true},
      {"of both families", R"([{"address":"[::]:5000","tls":false}])", "127.0.0.1:5000", true},
      {"TLS where there is nothing else", R"([{"address":"10.0.0.5:5443","tls":true}])",
       "10.0.0.5:5443", false},
      {"plain before TLS",
       R"([{"address":"10.0.0.5:5443","tls":true},{"address":"10.0.0.5:5000","tls":false}])",
       "10.0.0.5:5000", true},
      {"none for one platform alone",
       R"([{"address":"10.0.0.5:7","tls":false,"platform":"linux/arm"},)"
       R"({"address":"10.0.0.5:5000","tls":false,"platform":null}])",
       "10.0.0.5:5000", true},
      {"none that wants a certificate",
       R"([{"address":"10.0.0.5:7","tls":true,"client_certificates":"require"},)"
       R"({"address":"10.0.0.5:5443","tls":true,"client_certificates":"ask"}])",
       "10.0.0.5:5443", false},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    PullBench bench;
    bench.admin.on("/api/v1/upstreams").answer(200).json("[]").close();
    bench.admin.on("/api/v1/listeners").answer(200).json(row.listeners).close();
    const auto gateway = find_by_admin(bench);
    REQUIRE(gateway);
    CHECK(gateway->host == row.host);
    CHECK(gateway->plain == row.plain);
    CHECK(gateway->admin == bench.admin_host());
  }
}

TEST_CASE("a gateway that cannot be found is told with what would help") {
  PullBench bench;
  bench.admin.on("/api/v1/upstreams").answer(200).json("[]").close();
  bench.admin.on("/api/v1/listeners")
      .answer(200)
      .json(R"([{"address":"10.0.0.5:7","tls":false,"platform":"linux/arm"}])")
      .close();
  const auto unfit = find_by_admin(bench);
  REQUIRE_FALSE(unfit);
  CHECK(contains(unfit.error().message, "--gateway"));
  PullOptions nobody;
  nobody.admin.admin = "127.0.0.1:1";
  const auto gone = find_gateway(nobody, bench.surroundings().environment);
  REQUIRE_FALSE(gone);
  CHECK(gone.error().code == Errc::upstream_unreachable);
  CHECK(contains(gone.error().message, "--gateway"));
}

TEST_CASE("--gateway needs no admin port") {
  PullBench bench;
  PullOptions options;
  options.admin.admin = "127.0.0.1:1";
  for (const std::string text :
       {"http://10.0.0.5:5000/", "10.0.0.5:5000", "https://10.0.0.5:5000"}) {
    CAPTURE(text);
    options.gateway = text;
    const auto gateway = find_gateway(options, bench.surroundings().environment);
    REQUIRE(gateway);
    CHECK(gateway->host == "10.0.0.5:5000");
    CHECK(gateway->plain == text.starts_with("http:"));
    CHECK(gateway->admin.empty());
  }
}

TEST_CASE("an image is asked for below its upstream's name") {
  struct Row {
    const char* why;
    const char* text;
    const char* name;
    const char* path;
  };
  Gateway gateway{.host = "127.0.0.1:5000"};
  gateway.names.entries = {
      {.name = "registry.lan:5000"}, {.name = "docker.io", .adds_library = true}, {.name = "hub"}};
  gateway.names.default_name = "registry.lan:5000";
  const std::vector<Row> rows{
      {"Docker Hub's", "alpine", "docker.io/library/alpine:latest", "docker.io/library/alpine"},
      {"a configured name whatever its look", "hub/app:1", "hub/app:1", "hub/app"},
      {"the default one's port has no place in a path", "registry.lan:5000/app:1",
       "registry.lan:5000/app:1", "app"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    const auto image = read_gateway_image(row.text, gateway);
    REQUIRE(image);
    CHECK(image->image.str() == row.name);
    CHECK(image->path.str() == row.path);
  }
  const auto unknown = read_gateway_image("ghcr.io/app", gateway);
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().code == Errc::name_unknown);
  const Gateway silent{.host = "127.0.0.1:5000"};
  const auto guessed = read_gateway_image("ghcr.io/org/app:2", silent);
  REQUIRE(guessed);
  CHECK(guessed->path.str() == "ghcr.io/org/app");
  CHECK_FALSE(read_gateway_image("UPPER", silent));
}

}  // namespace
}  // namespace archway::proxy
