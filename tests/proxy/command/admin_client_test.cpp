#include "proxy/command/admin_client.hpp"

#include "tests/proxy/command/running.hpp"
#include "tests/support/scripted_upstream.hpp"

#include <doctest/doctest.h>
#include <string>

namespace archway::proxy {
namespace {

using test::ScriptedUpstream;

std::string endpoint_of(const ScriptedUpstream& gateway) {
  return "127.0.0.1:" + std::to_string(gateway.port());
}

TEST_CASE("the admin port is asked for exactly what was wanted") {
  ScriptedUpstream gateway;
  gateway.on("/api/v1/images").answer(200).json("{\"images\":[]}");
  gateway.on("/api/v1/images").answer(409).chunked(3).body("already there");
  gateway.on("/api/v1/images").answer(404).no_length().body("gone");
  struct Row {
    Method method;
    const char* word;
    unsigned status;
    const char* body;
  };
  const Row rows[] = {{Method::get, "GET", 200, "{\"images\":[]}"},
                      {Method::put, "PUT", 409, "already there"},
                      {Method::del, "DELETE", 404, "gone"}};
  for (const Row& row : rows) {
    CAPTURE(row.word);
    const auto answer = ask_admin(endpoint_of(gateway), row.method, "/api/v1/images?name=a%3Ab");
    REQUIRE(answer);
    CHECK(answer->status == row.status);
    CHECK(answer->body == row.body);
    const auto request = gateway.requests().back();
    CHECK(request.method == row.word);
    CHECK(request.target == "/api/v1/images?name=a%3Ab");
    CHECK(request.header("Host") == endpoint_of(gateway));
    CHECK(request.header("Connection") == "close");
    CHECK(request.header("User-Agent").starts_with("archway/"));
    CHECK(request.header("Content-Length").empty());
  }
}

TEST_CASE("a gateway that does not answer is named, and so is what to look at") {
  std::string nobody;
  {
    const ScriptedUpstream gone;
    nobody = endpoint_of(gone);
  }
  const auto answer = ask_admin(nobody, Method::get, "/");
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == Errc::upstream_unreachable);
  CHECK(answer.error().message ==
        "the gateway's admin port " + nobody +
            " cannot be reached: Connection refused; is archway running there? --admin names "
            "another place");
  ScriptedUpstream other;
  other.on("/").answer(200).raw("220 mail.lan ESMTP\r\n\r\n");
  const auto nonsense = ask_admin(endpoint_of(other), Method::get, "/");
  REQUIRE_FALSE(nonsense);
  CHECK(nonsense.error().code == Errc::upstream_failed);
  CHECK(nonsense.error().message == "the gateway's admin port " + endpoint_of(other) +
                                        ": its answer makes no sense: it is not HTTP");
}

TEST_CASE("the endpoint is the option's, else the configuration's, else the default") {
  const TempFolder folder;
  const std::string file = folder.write("a.yaml", "admin: \"[::1]:7000\"\n");
  const std::string all = folder.write("b.yaml", "admin: 0.0.0.0:7001\n");
  const std::string all_v6 = folder.write("c.yaml", "admin: \"[::]:7002\"\n");
  const std::string socket = folder.write("d.yaml", "admin: unix:/run/archway.sock\n");
  struct Row {
    const char* why;
    GatewayOptions options;
    const char* want;
  };
  const Row rows[] = {
      {"nothing said", {}, "127.0.0.1:5001"},
      {"the option", {.admin = "archway.lan:80"}, "archway.lan:80"},
      {"the option before the file", {.admin = "[fe80::1]:80", .config = file}, "[fe80::1]:80"},
      {"a bad file does not matter then", {.admin = "unix:/a", .config = "/nowhere"}, "unix:/a"},
      {"the file", {.config = file}, "[::1]:7000"},
      {"every address is this machine", {.config = all}, "127.0.0.1:7001"},
      {"of both families", {.config = all_v6}, "[::1]:7002"},
      {"a socket's file", {.config = socket}, "unix:/run/archway.sock"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.why);
    const auto endpoint = admin_endpoint(row.options, environment_of_test());
    REQUIRE(endpoint);
    CHECK(*endpoint == row.want);
  }
  Environment environment = environment_of_test();
  environment.variable = [&](const std::string& name) -> std::optional<std::string> {
    if (name == "ARCHWAY_CONFIG") return file;
    return std::nullopt;
  };
  CHECK(*admin_endpoint({}, environment) == "[::1]:7000");
}

TEST_CASE("an endpoint that cannot be asked is refused with what is allowed") {
  const TempFolder folder;
  const std::string none = folder.write("a.yaml", "admin: none\n");
  const std::string any = folder.write("b.yaml", "admin: 127.0.0.1:0\n");
  const std::string bad = folder.write("c.yaml", "drain: 5\nadmin: 1\n");
  struct Row {
    const char* why;
    GatewayOptions options;
    std::string want;
  };
  const std::string allowed =
      "; allowed: 127.0.0.1:5001, [::1]:5001, archway.lan:5001 or unix:/path";
  const Row rows[] = {
      {"no port", {.admin = "archway.lan"}, "--admin: found \"archway.lan\"" + allowed},
      {"port 0", {.admin = "a:0"}, "--admin: found \"a:0\"" + allowed},
      {"a big port", {.admin = "a:65536"}, "--admin: found \"a:65536\"" + allowed},
      {"a URL", {.admin = "http://a:80"}, "--admin: found \"http://a:80\"" + allowed},
      {"no host", {.admin = ":80"}, "--admin: found \":80\"" + allowed},
      {"no brackets", {.admin = "::1:80"}, "--admin: found \"::1:80\"" + allowed},
      {"needless brackets", {.admin = "[a]:80"}, "--admin: found \"[a]:80\"" + allowed},
      {"a relative path", {.admin = "unix:a"}, "--admin: found \"unix:a\"" + allowed},
      {"admin: none",
       {.config = none},
       "the configuration has `admin: none`; a gateway without an admin port cannot be asked"},
      {"port 0 in the file",
       {.config = any},
       "the configuration lets the system pick the admin port; name it with --admin"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.why);
    const auto endpoint = admin_endpoint(row.options, environment_of_test());
    REQUIRE_FALSE(endpoint);
    CHECK(endpoint.error().code == Errc::configuration_invalid);
    CHECK(endpoint.error().message == row.want);
  }
  const auto problems = admin_endpoint({.config = bad}, environment_of_test());
  REQUIRE_FALSE(problems);
  CHECK(problems.error().message.starts_with(bad + ":1:8: drain: "));
  CHECK(problems.error().message.find("\n" + bad + ":2:8: admin: ") != std::string::npos);
}

TEST_CASE("a query value is encoded byte for byte") {
  CHECK(query_value("alpine_3.1-2~") == "alpine_3.1-2~");
  CHECK(query_value("a b&c=d+e/f:g@h%") == "a%20b%26c%3Dd%2Be%2Ff%3Ag%40h%25");
  CHECK(query_value("\xc3\xa4\x01") == "%C3%A4%01");
  CHECK(query_value("").empty());
}

}  // namespace
}  // namespace archway::proxy
