#include "proxy/admin/explain.hpp"

#include "tests/integration/images.hpp"
#include "tests/proxy/admin/bench.hpp"

#include <doctest/doctest.h>
#include <string>
#include <vector>

namespace archway::proxy {
namespace {

const std::string hash = "sha256:" + std::string(64, 'a');

Settings settings_with_header() {
  Settings settings;
  settings.upstreams = {{.name = "docker.io", .is_default = true}, {.name = "hub"}};
  settings.platforms.header = "X-Platform";
  return settings;
}

const std::vector<Settings::Listener> listeners{
    {.endpoint = {.address = "0.0.0.0", .port = 5000}},
    {.endpoint = {.address = "0.0.0.0", .port = 5443},
     .tls = Settings::Tls{.certificate = "a", .key = "b"}},
    {.endpoint = {.address = "0.0.0.0", .port = 5007}, .platform = *Platform::parse("arm/v7")}};

Result<std::shared_ptr<const Request>> made_of(const std::string& query) {
  const auto read = Query::parse("/api/v1/explain?" + query, explain_parameters());
  if (!read) return read.error();
  return request_to_explain(*read, settings_with_header(), listeners);
}

TEST_CASE("the target is what a client would ask for") {
  struct Row {
    const char* why;
    std::string query;
    std::string target;
  };
  for (const auto& row : std::vector<Row>{
           {"in short", "image=golang", "/v2/docker.io/library/golang/manifests/latest"},
           {"a tag", "image=golang:1.22", "/v2/docker.io/library/golang/manifests/1.22"},
           {"a digest", "image=hub/app@" + hash, "/v2/hub/app/manifests/" + hash},
           {"escaped", "image=hub%2Fapp%3A1", "/v2/hub/app/manifests/1"},
           {"a registry that is not configured", "image=quay.io/a/b:1",
            "/v2/quay.io/a/b/manifests/1"},
           {"a platform in the path", "image=hub/app:1&path=linux-arm64",
            "/v2/platform/linux-arm64/hub/app/manifests/1"},
       }) {
    CAPTURE(row.why);
    const auto request = made_of(row.query);
    REQUIRE(request);
    CHECK((*request)->target == row.target);
  }
}

TEST_CASE("who says nothing is a containerd on this machine that comes by the first listener") {
  const auto request = *made_of("image=golang");
  CHECK(request->method == Method::head);
  CHECK(request->fields.find("Host") == "localhost");
  CHECK(request->fields.find("Accept").find("vnd.oci.image.index.v1+json, */*") !=
        std::string_view::npos);
  CHECK(!request->fields.contains("User-Agent"));
  CHECK(!request->fields.contains("X-Platform"));
  CHECK(request->peer->address.str() == "127.0.0.1");
  CHECK(!request->peer->tls);
  CHECK(!request->peer->listener_platform);
  CHECK(request->peer->server_name == "");
  CHECK(request->peer->certificate == "");
}

TEST_CASE("every parameter reaches the request where a client's would") {
  const auto request = *made_of(
      "image=golang&header=linux/arm64&user_agent=docker/28%20os/linux&from=10.1.2.3&"
      "host=a.lan:80&server_name=b.lan&port=5443&certificate=pi-07&accept=a/b&accept=c/d+json&"
      "method=GET");
  CHECK(request->method == Method::get);
  CHECK(request->fields.find("X-Platform") == "linux/arm64");
  CHECK(request->fields.find("User-Agent") == "docker/28 os/linux");
  CHECK(request->fields.find("Host") == "a.lan:80");
  CHECK(request->fields.all("Accept") == std::vector<std::string_view>{"a/b", "c/d+json"});
  CHECK(request->peer->address.str() == "10.1.2.3");
  CHECK(request->peer->server_name == "b.lan");
  CHECK(request->peer->certificate == "pi-07");
  CHECK(request->peer->tls);
  const auto by_port = *made_of("image=golang&port=5007&platform=arm64");
  CHECK(by_port->peer->listener_platform->str() == "linux/arm/v7");
  CHECK(by_port->fields.find("X-Platform") == "arm64");
}

TEST_CASE("a parameter of no use names itself and says what is allowed") {
  struct Row {
    const char* why;
    std::string query;
    const char* says;
  };
  for (const auto& row : std::vector<Row>{
           {"no image", "platform=arm64", "image=docker.io/library/golang:1.22"},
           {"no such image", "image=Golang", "parameter image"},
           {"no such parameter", "image=a&plattform=arm64", "allowed: image, platform, header"},
           {"twice", "image=a&image=b", "parameter image"},
           {"no address", "image=a&from=host.lan", "parameter from"},
           {"no such port", "image=a&port=1", "there are listeners on port 5000, 5443, 5007"},
           {"a port that only looks like one", "image=a&port=05000", "parameter port"},
           {"no such method", "image=a&method=POST", "allowed: GET and HEAD"},
           {"a path that leads elsewhere", "image=a&path=linux-arm64/../..", "parameter path"},
           {"the same twice", "image=a&platform=arm64&header=arm64", "parameter platform"},
       }) {
    CAPTURE(row.why);
    const auto request = made_of(row.query);
    REQUIRE(!request);
    CHECK(request.error().code == Errc::request_invalid);
    CHECK(request.error().message.find(row.says) != std::string::npos);
  }
}

TEST_CASE("what a client would get is explained, and so is what it would be refused") {
  test::AdminBench bench;
  const auto arm64 = test::make_image("linux/arm64", "layer");
  const auto index = test::make_index({test::make_image("linux/amd64", "other"), arm64});
  test::publish(bench.upstream, "library/hi", arm64);
  test::publish(bench.upstream, "library/hi", index, "1");
  struct Row {
    const char* why;
    std::string query;
    int status;
    std::string digest;
    const char* verdict;
  };
  for (const auto& row : std::vector<Row>{
           {"nobody says the platform", "image=hi:1", 200, index.digest, "pass"},
           {"the client says it", "image=hi:1&platform=linux/arm64", 200, arm64.manifest.digest,
            "child"},
           {"by path", "image=hi:1&path=linux-arm64", 200, arm64.manifest.digest, "child"},
           {"no such platform", "image=hi:1&platform=arm!", 400, "", ""},
           {"no such tag", "image=hi:2", 404, "", ""},
           {"no such upstream", "image=quay.io/hi:1", 404, "", ""},
       }) {
    CAPTURE(row.why);
    const auto answer = bench.ask("/api/v1/explain?" + row.query);
    CHECK(answer.status == 200);
    CAPTURE(answer.body);
    CHECK(answer.body.find("\"status\":" + std::to_string(row.status)) != std::string::npos);
    CHECK(answer.body.find("\"digest\":\"" + row.digest + "\"") != std::string::npos);
    CHECK(answer.body.find(std::string("\"verdict\":\"") + row.verdict + "\"") !=
          std::string::npos);
  }
  CHECK(bench.ask("/api/v1/explain").status == 400);
}

}  // namespace
}  // namespace archway::proxy
