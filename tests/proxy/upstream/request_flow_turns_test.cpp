#include "proxy/upstream/request_flow.hpp"
#include "tests/proxy/upstream/fixture.hpp"
#include "tests/support/temp_dir.hpp"

#include <algorithm>
#include <doctest/doctest.h>

namespace archway::proxy {
namespace {

const std::string path = "/v2/a/manifests/1";
const std::string first = "Basic YTp4";   // a:x
const std::string second = "Basic Yjp4";  // b:x
const std::string basic_challenge = "Basic realm=\"here\"";

struct Bench : ExchangeBench {
  std::shared_ptr<Tokens> tokens = std::make_shared<Tokens>(nullptr);
  std::shared_ptr<Settings::Upstream> upstream;

  explicit Bench(const test::ScriptedUpstream& registry)
      : upstream(std::make_shared<Settings::Upstream>(upstream_at(registry.url()))) {
    upstream->credentials = {{.username = "a", .password = "x"},
                             {.username = "b", .password = "x"}};
  }
  Result<Answer> ask(const std::string& repository = "a") {
    RequestFlow flow(
        {.upstream = upstream, .exchange = exchange, .tokens = tokens, .timeouts = {}});
    RequestFlow::Wish wish;
    wish.target = path;
    wish.repository = repository;
    return test::run(loop, flow.run(std::move(wish)));
  }
};

TEST_CASE("credentials that a registry refuses make way for the next") {
  test::ScriptedUpstream registry;
  registry.guard("/v2/", second, basic_challenge);
  registry.on(path).answer(200).body("hello");
  Bench bench(registry);
  for (const std::size_t requests : {3U, 4U}) {
    const auto answer = bench.ask();
    REQUIRE(answer);
    CHECK(answer->head.status == 200);
    CHECK(answer->credential == 1);
    CHECK(registry.requests().size() == requests);
  }
}

TEST_CASE("credentials that a token service refuses make way for the next") {
  test::ScriptedUpstream registry;
  registry.guard("/v2/", "Bearer b", "Bearer realm=\"" + registry.url() + "/token\"");
  registry.guard("/token", second, basic_challenge);
  registry.on("/token").answer(200).json(R"({"token":"b"})");
  registry.on(path).answer(200).body("hello");
  Bench bench(registry);
  const auto answer = bench.ask();
  REQUIRE(answer);
  CHECK(answer->head.status == 200);
  CHECK(answer->credential == 1);
  CHECK(registry.count("GET", "/token") == 2);
}

TEST_CASE("when all credentials are refused each is tried once, and the refusal passed on") {
  test::ScriptedUpstream registry;
  registry.guard("/v2/", "Basic nobody", basic_challenge);
  Bench bench(registry);
  const auto answer = bench.ask();
  REQUIRE(answer);
  CHECK(answer->head.status == 401);
  CHECK(registry.requests().size() == 3);
}

TEST_CASE("an account that has had too many requests makes way for the next in the same request") {
  test::ScriptedUpstream registry;
  registry.on(path).answer(401).header("WWW-Authenticate", basic_challenge);
  registry.on(path).answer(429).header("Retry-After", "1000");
  registry.on(path).answer(200).body("hello");
  Bench bench(registry);
  for (const std::size_t requests : {3U, 4U}) {
    const auto answer = bench.ask();
    REQUIRE(answer);
    CHECK(answer->head.status == 200);
    CHECK(answer->credential == 1);
    REQUIRE(registry.requests().size() == requests);
    CHECK(registry.requests().back().header("Authorization") == second);
  }
}

TEST_CASE("when every account has had too many requests that is the answer") {
  test::ScriptedUpstream registry;
  registry.on(path).answer(401).header("WWW-Authenticate", basic_challenge);
  registry.on(path).answer(429);
  Bench bench(registry);
  const auto answer = bench.ask();
  REQUIRE(answer);
  CHECK(answer->head.status == 429);
  CHECK(registry.requests().size() <= 5);
}

TEST_CASE("an account with few requests left makes way before it has none") {
  struct Row {
    const char* why;
    const char* limit;
    const char* left;
    std::size_t next;
  };
  const Row rows[] = {
      {"half", "100;w=21600", "50;w=21600", 0}, {"a tenth", "100;w=21600", "10;w=21600", 0},
      {"less", "100;w=21600", "9;w=21600", 1},  {"none", "100;w=21600", "0;w=21600", 1},
      {"no limit said", "", "1;w=21600", 0},    {"nonsense", "100x", "1", 0},
      {"below zero", "100", "-1", 0},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    test::ScriptedUpstream registry;
    registry.on(path).answer(401).header("WWW-Authenticate", basic_challenge);
    auto& answer = registry.on(path).answer(200).header("ratelimit-remaining", row.left);
    if (*row.limit != '\0') answer.header("ratelimit-limit", row.limit);
    Bench bench(registry);
    CHECK(bench.ask()->credential == 0);
    CHECK(bench.ask()->credential == row.next);
  }
}

TEST_CASE("a password that was replaced is used from the next refusal on, and its tokens are not") {
  test::ScriptedUpstream registry;
  const auto challenge = "Bearer realm=\"" + registry.url() + "/token\"";
  registry.guard("/v2/", "Bearer old", challenge);
  registry.guard("/token", "Basic bWU6b2xk", basic_challenge);  // me:old
  registry.on("/token").answer(200).json(R"({"token":"old","expires_in":3600})");
  registry.on("/token").answer(200).json(R"({"token":"new","expires_in":3600})");
  registry.on(path).answer(200).body("hello");
  const test::TempDir folder;
  Bench bench(registry);
  bench.upstream->credentials = {
      {.username = "me", .password_file = folder.write("password", "old\n")}};
  CHECK(bench.ask()->head.status == 200);
  folder.write("password", "new\n");
  registry.guard("/v2/", "Bearer new", challenge);
  registry.guard("/token", "Basic bWU6bmV3", basic_challenge);
  CHECK(bench.ask()->head.status == 200);
  CHECK(registry.count("GET", "/token") == 3);  // Once with the old one, which nobody takes.
}

TEST_CASE("a password that was replaced a moment after it was read is used for the same request") {
  test::ScriptedUpstream registry;
  registry.guard("/v2/", "Basic bWU6b2xk", basic_challenge);  // me:old
  registry.on(path).answer(200).body("hello");
  const test::TempDir folder;
  Bench bench(registry);
  bench.upstream->credentials = {
      {.username = "me", .password_file = folder.write("password", "old\n")}};
  CHECK(bench.ask()->head.status == 200);
  folder.write("password", "new\n");
  registry.guard("/v2/", "Basic bWU6bmV3", basic_challenge);
  CHECK(bench.ask("b")->head.status == 200);
  registry.guard("/v2/", "Basic nobody", basic_challenge);
  const auto before = registry.requests().size();
  CHECK(bench.ask("c")->head.status == 401);
  CHECK(registry.requests().size() == before + 2);  // Without one, and with the only one there is.
}

}  // namespace
}  // namespace archway::proxy
