#include "proxy/command/commands.hpp"
#include "proxy/command/explain_query.hpp"
#include "proxy/pull/explanation.hpp"
#include "tests/proxy/command/running.hpp"
#include "tests/support/scripted_upstream.hpp"

#include <doctest/doctest.h>
#include <string>

namespace archway::proxy {
namespace {

using test::ScriptedUpstream;

constexpr const char* endpoint = "/api/v1/explain";

std::string admin_of(const ScriptedUpstream& gateway) {
  return "127.0.0.1:" + std::to_string(gateway.port());
}

Explanation with_status(std::uint16_t status) {
  Explanation why;
  why.asked = why.image = "docker.io/library/alpine:3";
  why.status = status;
  if (status == 200) why.digest = "sha256:" + std::string(64, 'c');
  if (status != 200) why.error_code = status == 404 ? "MANIFEST_UNKNOWN" : "DENIED";
  if (status != 200) why.message = "there is none";
  return why;
}

TEST_CASE("every option of explain is a parameter of the request") {
  ScriptedUpstream gateway;
  gateway.on(endpoint).answer(200).json(explanation_json(with_status(200)));
  const Ran ran = run_with({"explain",       "team/app:1.4",
                            "--platform",    "linux/arm/v7",
                            "--header",      "arm64",
                            "--path",        "linux-arm64",
                            "--user-agent",  "docker/28 os/linux",
                            "--from",        "10.30.0.7",
                            "--host",        "a.lan:80",
                            "--server-name", "b.lan",
                            "--port",        "5007",
                            "--certificate", "pi-07",
                            "--accept",      "application/a+json",
                            "--accept",      "*/*",
                            "--admin",       admin_of(gateway)});
  CHECK(ran.code == exits::ok);
  CHECK(ran.err.empty());
  REQUIRE(gateway.requests().size() == 1);
  CHECK(gateway.requests()[0].method == "GET");
  CHECK(gateway.requests()[0].target ==
        "/api/v1/explain?image=team%2Fapp%3A1.4&platform=linux%2Farm%2Fv7&header=arm64"
        "&path=linux-arm64&user_agent=docker%2F28%20os%2Flinux&from=10.30.0.7&host=a.lan%3A80"
        "&server_name=b.lan&port=5007&certificate=pi-07&accept=application%2Fa%2Bjson"
        "&accept=%2A%2F%2A");
  CHECK(explain_target({.image = "alpine"}) == "/api/v1/explain?image=alpine");
}

TEST_CASE("the exit code says whether the client gets an image") {
  struct Row {
    std::uint16_t status;
    int code;
    const char* quiet;
  };
  const std::string digest = "sha256:" + std::string(64, 'c') + "\n";
  const Row rows[] = {{200, exits::ok, digest.c_str()},
                      {404, exits::not_found, ""},
                      {403, exits::failed, ""},
                      {504, exits::failed, ""}};
  for (const Row& row : rows) {
    CAPTURE(row.status);
    ScriptedUpstream gateway;
    const auto json = explanation_json(with_status(row.status));
    gateway.on(endpoint).answer(200).json(json);
    const Ran text = run_with({"explain", "alpine:3", "--admin", admin_of(gateway)});
    CHECK(text.code == row.code);
    CHECK(text.out.starts_with("Asked for docker.io/library/alpine:3.\n"));
    const Ran quiet = run_with({"explain", "alpine:3", "-q", "--admin", admin_of(gateway)});
    CHECK(quiet.code == row.code);
    CHECK(quiet.out == row.quiet);
    const Ran machine = run_with({"explain", "alpine:3", "--json", "--admin", admin_of(gateway)});
    CHECK(machine.code == row.code);
    CHECK(machine.out.starts_with("{\n  \"asked\": \"docker.io/library/alpine:3\",\n"));
  }
}

TEST_CASE("explain says what went wrong before anything was explained") {
  ScriptedUpstream gateway;
  gateway.on(endpoint).answer(400).json(R"({"error":"the parameter from: no address"})");
  const Ran bad = run_with({"explain", "a", "--from", "x", "--admin", admin_of(gateway)});
  CHECK(bad.code == exits::usage);
  CHECK(bad.out.empty());
  CHECK(bad.err == "archway explain: the gateway answers 400: the parameter from: no address\n");
  const Ran nameless = run_with({"explain"});
  CHECK(nameless.code == exits::usage);
  CHECK(nameless.err.starts_with("archway explain: IMAGE is required\n"));
  std::string nobody;
  {
    const ScriptedUpstream gone;
    nobody = admin_of(gone);
  }
  const Ran silent = run_with({"explain", "a", "--admin", nobody});
  CHECK(silent.code == exits::unreachable);
  CHECK(silent.err.find("cannot be reached: Connection refused") != std::string::npos);
  const Ran misconfigured = run_with({"explain", "a", "-c", "/nowhere/a.yaml"});
  CHECK(misconfigured.code == exits::configuration);
}

}  // namespace
}  // namespace archway::proxy
