#include "proxy/admin/upstreams.hpp"

#include "tests/proxy/admin/bench.hpp"

#include <doctest/doctest.h>
#include <string>
#include <vector>

namespace archway::proxy {
namespace {

TEST_CASE("upstreams are listed as they are configured, without their secrets") {
  Settings settings;
  settings.upstreams.push_back({.name = "ghcr.io",
                                .url = *resolver::Url::parse("https://ghcr.io"),
                                .credentials = {{.username = "me", .password = "secret"}}});
  test::AdminBench bench(settings);
  const auto answer = bench.ask("/api/v1/upstreams");
  CHECK(answer.status == 200);
  const auto here = bench.upstream.url() + "/";
  const auto urls = [](const std::string& url) {
    return R"(,"urls":[{"url":")" + url +
           R"(","answers":true,"last_error":"","held_seconds":0,"rate_limit":null}]})";
  };
  const auto origin = bench.upstream.url();
  CHECK(answer.body ==
        R"([{"name":"ghcr.io","url":"https://ghcr.io/","has_credentials":true,"default":false)" +
            urls("https://ghcr.io") + R"(,{"name":"docker.io","url":")" + here +
            R"(","has_credentials":false,"default":true)" + urls(origin) +
            R"(,{"name":"other.test","url":")" + here +
            R"(","has_credentials":false,"default":false)" + urls(origin) + "]\n");
  CHECK(bench.upstream.requests().empty());
}

TEST_CASE(
    "what an upstream said of its rate limit, and that it fails, is shown without asking it") {
  test::AdminBench bench{Settings()};
  bench.upstream.on("/v2/").answer(503).header("Retry-After", "60").error("UNAVAILABLE", "later");
  CHECK(bench.ask("/api/v1/upstreams?check=1").status == 200);
  const auto asked = bench.upstream.requests().size();
  const auto document = bench.ask("/api/v1/upstreams").json().as_array().at(0).as_object();
  const auto& url = document.at("urls").as_array().at(0).as_object();
  CHECK(url.at("held_seconds").to_number<int>() > 50);
  CHECK(std::string(url.at("last_error").as_string()).find("docker.io") == 0);
  CHECK(bench.upstream.requests().size() == asked);
}

TEST_CASE("with check each is asked for its API, and told apart by what it says") {
  struct Row {
    const char* why;
    unsigned status;
    bool credentials;
    bool reachable;
    const char* says;  ///< "" : nothing
  };
  for (const auto& row : std::vector<Row>{
           {"it is there", 200, false, true, ""},
           {"it wants credentials, and there are none", 401, false, true, ""},
           {"it refuses the credentials", 401, true, true, "refuses the credentials"},
           {"it refuses them in other words", 403, true, true, "refuses the credentials"},
           {"it is busy", 503, false, true, "busy"},
           {"a web server", 404, false, false, "no registry is there"},
           {"a broken one", 500, false, false, "status 500"},
       }) {
    CAPTURE(row.why);
    Settings settings;
    test::ScriptedUpstream registry;
    registry.on("/prefix/v2/").answer(row.status).body("x");
    settings.upstreams.push_back(
        {.name = "one.test", .url = *resolver::Url::parse(registry.url() + "/prefix/")});
    if (row.credentials)
      settings.upstreams.back().credentials = {{.username = "me", .password = "secret"}};
    test::AdminBench bench(settings);
    const auto answer = bench.ask("/api/v1/upstreams?check=1");
    const auto document = answer.json().as_array().at(0).as_object();
    CHECK(document.at("reachable").as_bool() == row.reachable);
    const std::string why = document.at("why").as_string().c_str();
    CHECK((why.find(row.says) != std::string::npos && why.empty() == !*row.says));
    CHECK(document.at("seconds").to_number<double>() >= 0);
    CHECK(answer.body.find("secret") == std::string::npos);
  }
}

TEST_CASE("who is not there is told so and holds up nobody") {
  Settings settings;
  settings.upstreams.push_back(
      {.name = "gone.test", .url = *resolver::Url::parse("http://127.0.0.1:1")});
  test::AdminBench bench(settings);
  bench.upstream.on("/v2/").answer(200).body("{}");
  const auto answer = bench.ask("/api/v1/upstreams?check");
  const auto list = answer.json().as_array();
  CHECK(!list.at(0).at("reachable").as_bool());
  CHECK(!list.at(0).at("why").as_string().empty());
  CHECK(list.at(1).at("reachable").as_bool());
  CHECK(bench.ask("/api/v1/upstreams?check=maybe").status == 400);
}

}  // namespace
}  // namespace archway::proxy
