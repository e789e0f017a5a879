#include "proxy/upstream/tokens.hpp"

#include "tests/proxy/upstream/fixture.hpp"

#include <doctest/doctest.h>
#include <thread>

namespace archway::proxy {
namespace {

namespace net = boost::asio;
using namespace std::chrono_literals;
using Scheme = resolver::Challenge::Scheme;

const resolver::Address loopback = *resolver::Address::parse("127.0.0.1");
const std::string user_secret = "Basic dXNlcjpzZWNyZXQ=";  // user:secret

Challenged bearer(const std::string& realm, const std::string& scope = "repository:a:pull") {
  Challenged challenged;
  challenged.challenge.scheme = Scheme::bearer;
  challenged.challenge.realm = realm;
  challenged.challenge.service = "a registry";
  challenged.challenge.scope = scope;
  challenged.upstream_at = loopback;
  return challenged;
}

std::shared_ptr<Settings::Upstream> with_credentials(const std::string& url) {
  auto upstream = std::make_shared<Settings::Upstream>(upstream_at(url));
  upstream->credentials = {{.username = "user", .password = "secret"}};
  return upstream;
}

struct Bench : ExchangeBench {
  Tokens tokens{nullptr};

  Result<Authorization> authorization(std::shared_ptr<const Settings::Upstream> upstream,
                                      Challenged challenged, const std::string& rejected = "") {
    return test::run(loop, tokens.authorization(std::move(upstream), exchange,
                                                std::move(challenged), rejected, 20s));
  }
  std::string field(std::shared_ptr<const Settings::Upstream> upstream, Challenged challenged,
                    const std::string& rejected = "") {
    const auto got = authorization(std::move(upstream), std::move(challenged), rejected);
    return got ? got->field : got.error().message;
  }
};

TEST_CASE("only the upstream's own origin and its listed hosts may see its credentials") {
  struct Row {
    const char* why;
    const char* upstream;
    const char* realm;
    bool may;
  };
  const Row rows[] = {
      {"own origin", "https://registry.test", "https://registry.test/token", true},
      {"own origin, port said", "https://registry.test", "https://registry.test:443/token", true},
      {"listed", "https://registry.test", "https://auth.test/token", true},
      {"listed with its port", "https://registry.test", "https://auth.test:8443/token", true},
      {"listed, capitals", "https://registry.test", "https://AUTH.test/token", true},
      {"own host, another port", "https://registry.test", "https://registry.test:8443/t", false},
      {"listed, another port", "https://registry.test", "https://auth.test:444/token", false},
      {"own host over http", "https://registry.test", "http://registry.test/token", false},
      {"own host over http, TLS port", "https://registry.test", "http://registry.test:443/", false},
      {"listed over http", "https://registry.test", "http://auth.test/token", false},
      {"below the own host", "https://registry.test", "https://a.registry.test/token", false},
      {"above the own host", "https://a.registry.test", "https://registry.test/token", false},
      {"own host with a dot", "https://registry.test", "https://registry.test.evil.test/", false},
      {"another host", "https://registry.test", "https://evil.test/token", false},
      {"plain upstream, own origin", "http://registry.test:5000", "http://registry.test:5000/t",
       true},
      {"plain upstream, listed", "http://registry.test:5000", "https://auth.test/token", true},
      {"plain upstream, another port", "http://registry.test:5000", "http://registry.test/t",
       false},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    auto upstream = upstream_at(row.upstream);
    upstream.token_realms = {"auth.test", "auth.test:8443"};
    CHECK(may_see_credentials(upstream, url_of(row.realm)) == row.may);
  }
}

TEST_CASE("a token is asked for once and used until its time is up") {
  test::ScriptedUpstream service;
  service.on("/token").answer(200).json(R"({"token":"first","expires_in":300})");
  service.on("/token").answer(200).json(R"({"token":"second","expires_in":300})");
  auto time = Tokens::Clock::now();
  Bench bench;
  bench.tokens = Tokens(nullptr, [&time] { return time; });
  const auto upstream = std::make_shared<Settings::Upstream>(upstream_at(service.url()));
  const auto challenged = bearer(service.url() + "/token?account=x", "repository:a/b:pull other");
  CHECK(bench.field(upstream, challenged) == "Bearer first");
  time += 280s;
  CHECK(bench.field(upstream, challenged) == "Bearer first");
  CHECK(service.count("GET", "/token") == 1);
  CHECK(service.requests().front().target ==
        "/token?account=x&service=a%20registry&scope=repository%3Aa%2Fb%3Apull&scope=other");
  CHECK(service.requests().front().header("Authorization").empty());
  time += 15s;
  CHECK(bench.field(upstream, challenged) == "Bearer second");
}

TEST_CASE("a token is kept for its upstream, service and scope alone, and not given when refused") {
  test::ScriptedUpstream service;
  for (const auto* const token : {"one", "two", "three", "four"}) {
    service.on("/token").answer(200).json(std::string(R"({"token":")") + token + "\"}");
  }
  Bench bench;
  auto upstream = std::make_shared<Settings::Upstream>(upstream_at(service.url()));
  const auto challenged = bearer(service.url() + "/token");
  CHECK(bench.field(upstream, challenged) == "Bearer one");
  CHECK(bench.field(upstream, bearer(service.url() + "/token", "repository:b:pull")) ==
        "Bearer two");
  auto other = std::make_shared<Settings::Upstream>(*upstream);
  other->name = "other.registry";
  CHECK(bench.field(other, challenged) == "Bearer three");
  CHECK(bench.field(upstream, challenged, "Bearer one") == "Bearer four");
  CHECK(bench.field(upstream, challenged, "Bearer one") == "Bearer four");
  CHECK(service.count("GET", "/token") == 4);
}

net::awaitable<void> ask(Bench* bench, std::shared_ptr<const Settings::Upstream> upstream,
                         Challenged challenged, Tokens* tokens, int* good) {
  const auto result = co_await tokens->authorization(std::move(upstream), bench->exchange,
                                                     std::move(challenged), "", 20s);
  if (result && result->field == "Bearer abc") ++*good;
}

TEST_CASE("a hundred who need a token at once, on two threads, ask for it once") {
  test::ScriptedUpstream service;
  const auto gate = service.gate();
  service.on("/token").answer(200).json(R"({"token":"abc"})").hang(gate);
  Bench first;
  Bench second;
  int good_first = 0;
  int good_second = 0;
  const auto upstream = std::make_shared<Settings::Upstream>(upstream_at(service.url()));
  const auto challenged = bearer(service.url() + "/token");
  const auto ignore = [](std::exception_ptr) {};
  for (int i = 0; i < 50; ++i) {
    net::co_spawn(first.loop, ask(&first, upstream, challenged, &first.tokens, &good_first),
                  ignore);
    net::co_spawn(second.loop, ask(&second, upstream, challenged, &first.tokens, &good_second),
                  ignore);
  }
  // Loops that hold an idle connection do not run dry: they end when all have their answer.
  const auto run_until_all = [](Bench& bench, const int& good) {
    while (good < 50) bench.loop.run_one();
  };
  std::thread other([&] { run_until_all(second, good_second); });
  std::thread opener([&] {
    gate->wait_reached();
    gate->open();
  });
  run_until_all(first, good_first);
  other.join();
  opener.join();
  CHECK(good_first + good_second == 100);
  CHECK(service.count("GET", "/token") == 1);
}

TEST_CASE("credentials are shown to the token service only where they may be") {
  test::ScriptedUpstream registry;
  test::ScriptedUpstream elsewhere;
  registry.on("/token").answer(200).json(R"({"token":"mine"})");
  elsewhere.on("/token").answer(200).json(R"({"token":"anonymous"})");
  Bench bench;
  const auto upstream = with_credentials(registry.url());
  CHECK(bench.field(upstream, bearer(registry.url() + "/token")) == "Bearer mine");
  CHECK(registry.requests().front().header("Authorization") == user_secret);
  CHECK(bench.field(upstream, bearer(elsewhere.url() + "/token")) == "Bearer anonymous");
  CHECK(elsewhere.requests().front().header("Authorization").empty());
  const auto listed = with_credentials(registry.url());
  listed->token_realms = {"127.0.0.1:" + std::to_string(elsewhere.port())};
  CHECK(bench.field(listed, bearer(elsewhere.url() + "/token")) == "Bearer anonymous");
  CHECK(elsewhere.requests().back().header("Authorization") == user_secret);
}

TEST_CASE("a realm that leads where it must not is refused without a connection") {
  test::ScriptedUpstream service;
  service.on("/token").answer(200).json(R"({"token":"abc"})");
  const auto port = ":" + std::to_string(service.port());
  struct Row {
    const char* why;
    const char* upstream;
    const char* upstream_at;
    std::string realm;
    Errc code;
  };
  const Row rows[] = {
      {"from https to http", "https://registry.test", "127.0.0.1", service.url() + "/token",
       Errc::upstream_failed},
      {"from the world to loopback", "http://registry.test", "93.184.216.34",
       "http://127.0.0.1" + port + "/token", Errc::denied},
      {"by a name of loopback", "http://registry.test", "93.184.216.34",
       "http://local.test" + port + "/token", Errc::denied},
      {"no URL", "http://registry.test", "127.0.0.1", "/token", Errc::upstream_failed},
      {"another scheme", "http://registry.test", "127.0.0.1", "file:///etc/passwd",
       Errc::upstream_failed},
      {"user information", "http://registry.test", "127.0.0.1",
       "http://registry.test@127.0.0.1" + port + "/token", Errc::upstream_failed},
      {"a decimal address", "http://registry.test", "127.0.0.1", "http://2130706433" + port + "/",
       Errc::upstream_failed},
      {"an encoded host", "http://registry.test", "127.0.0.1", "http://%6c" + port + "/",
       Errc::upstream_failed},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    Bench bench;
    auto challenged = bearer(row.realm);
    challenged.upstream_at = *resolver::Address::parse(row.upstream_at);
    const auto result = bench.authorization(with_credentials(row.upstream), challenged);
    REQUIRE_FALSE(result);
    CHECK(result.error().code == row.code);
    CHECK(result.error().message.find("secret") == std::string::npos);
  }
  CHECK(service.connections() == 0);
}

TEST_CASE("what the token service says is passed on, and a redirect is not followed") {
  test::ScriptedUpstream evil;
  struct Row {
    const char* why;
    unsigned status;
    std::string body;
    Errc code;
  };
  const Row rows[] = {
      {"unauthorised", 401, "", Errc::denied},
      {"forbidden", 403, "", Errc::denied},
      {"busy", 429, "", Errc::upstream_busy},
      {"broken", 500, "", Errc::upstream_failed},
      {"elsewhere", 302, "", Errc::upstream_failed},
      {"nonsense", 200, "hello", Errc::upstream_failed},
      {"endless", 200, std::string(token_answer_bytes_max + 1, ' '), Errc::upstream_failed},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    test::ScriptedUpstream service;
    service.on("/token").answer(row.status).body(row.body).header("Location", evil.url() + "/");
    Bench bench;
    const auto result =
        bench.authorization(with_credentials(service.url()), bearer(service.url() + "/token"));
    REQUIRE_FALSE(result);
    CHECK(result.error().code == row.code);
  }
  CHECK(evil.connections() == 0);
}

TEST_CASE("Basic is answered with the credentials, or not at all") {
  Bench bench;
  Challenged challenged;
  challenged.challenge.scheme = Scheme::basic;
  CHECK(bench.field(with_credentials("https://registry.test"), challenged) == user_secret);
  const auto none = bench.authorization(
      std::make_shared<Settings::Upstream>(upstream_at("https://registry.test")), challenged);
  REQUIRE_FALSE(none);
  CHECK(none.error().code == Errc::denied);
  CHECK(none.error().message ==
        "test.registry asks for a user name and password, and archway has none configured for it");
}

TEST_CASE("a challenge is remembered for its upstream and repository") {
  Tokens tokens(nullptr);
  tokens.remember("a", "b/c", bearer("https://auth.test/token"));
  REQUIRE(tokens.remembered("a", "b/c"));
  CHECK(tokens.remembered("a", "b/c")->challenge.realm == "https://auth.test/token");
  CHECK_FALSE(tokens.remembered("a", "b"));
  CHECK_FALSE(tokens.remembered("b", "b/c"));
}

}  // namespace
}  // namespace archway::proxy
