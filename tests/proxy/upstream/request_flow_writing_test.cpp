#include "proxy/upstream/request_flow.hpp"
#include "tests/proxy/upstream/fixture.hpp"
#include "tests/proxy/upstream/sources.hpp"

#include <algorithm>
#include <doctest/doctest.h>

namespace archway::proxy {
namespace {

const std::string path = "/v2/a/manifests/1";
const std::string uploads = "/v2/a/blobs/uploads/";

struct Bench : ExchangeBench {
  std::shared_ptr<Tokens> tokens = std::make_shared<Tokens>(nullptr);

  Result<Answer> ask(const Settings::Upstream& upstream, RequestFlow::Wish wish) {
    RequestFlow flow({.upstream = std::make_shared<Settings::Upstream>(upstream),
                      .exchange = exchange,
                      .tokens = tokens,
                      .timeouts = {}});
    wish.repository = "a";
    return test::run(loop, flow.run(std::move(wish)));
  }
};

RequestFlow::Wish wish_for(Verb verb, const std::string& target) {
  RequestFlow::Wish wish;
  wish.verb = verb;
  wish.target = target;
  return wish;
}

RequestFlow::Wish put_text(const std::string& text) {
  auto wish = wish_for(Verb::put, path);
  wish.body = RequestBody::of(text);
  return wish;
}

RequestFlow::Wish put_stream(std::shared_ptr<TextSource> source, std::uint64_t size) {
  auto wish = wish_for(Verb::put, uploads + "1");
  wish.body.source = std::move(source);
  wish.body.size = size;
  return wish;
}

std::string challenge_to(const test::ScriptedUpstream& upstream, const std::string& scope,
                         const std::string& more = "") {
  return "Bearer realm=\"" + upstream.url() + "/token\",scope=\"" + scope + "\"" + more;
}

std::vector<std::string> token_targets(const test::ScriptedUpstream& upstream) {
  std::vector<std::string> targets;
  for (const auto& request : upstream.requests()) {
    if (request.path == "/token") targets.push_back(request.target);
  }
  return targets;
}

TEST_CASE("a challenge to bytes is met and the bytes are sent again") {
  test::ScriptedUpstream upstream;
  upstream.guard("/v2/", "Bearer abc", challenge_to(upstream, "repository:a:pull,push"));
  upstream.on("/token").answer(200).json(R"({"token":"abc"})");
  upstream.on(path).answer(201);
  Bench bench;
  for (int i = 0; i < 2; ++i) {
    const auto answer = bench.ask(upstream_at(upstream.url()), put_text("hello"));
    REQUIRE(answer);
    CHECK(answer->head.status == 201);
    CHECK(answer->url.target == path);
    CHECK(upstream.requests().back().body == "hello");
  }
  CHECK(upstream.count("PUT", path) == 3);  // the second bears its token at once
  CHECK(upstream.count("GET", "/token") == 1);
}

TEST_CASE("what is remembered for reading is not taken for writing, and the other way round") {
  test::ScriptedUpstream upstream;
  upstream.guard("/v2/a/manifests/", "Bearer pull", challenge_to(upstream, "repository:a:pull"));
  upstream.guard(uploads, "Bearer push", challenge_to(upstream, "repository:a:pull,push"));
  upstream.on("/token?scope=repository%3Aa%3Apull").answer(200).json(R"({"token":"pull"})");
  upstream.on("/token?scope=repository%3Aa%3Apull%2Cpush").answer(200).json(R"({"token":"push"})");
  upstream.on(path).answer(200);
  upstream.on(uploads).answer(202);
  Bench bench;
  const auto at = upstream_at(upstream.url());
  for (int i = 0; i < 3; ++i) {
    CHECK(bench.ask(at, wish_for(Verb::get, path))->head.status == 200);
    CHECK(bench.ask(at, wish_for(Verb::post, uploads))->head.status == 202);
  }
  CHECK(upstream.count("GET", path) == 4);
  CHECK(upstream.count("POST", uploads) == 4);
  CHECK(token_targets(upstream).size() == 2);
}

TEST_CASE("a scope that is not enough is met with the new one, once") {
  test::ScriptedUpstream upstream;
  upstream.on("/token?scope=repository%3Aa%3Apull").answer(200).json(R"({"token":"pull"})");
  upstream.on("/token?scope=repository%3Aa%3Apull%2Cpush").answer(200).json(R"({"token":"push"})");
  upstream.on(uploads).answer(202);
  Bench bench;
  const auto at = upstream_at(upstream.url());
  upstream.guard(uploads, "Bearer pull", challenge_to(upstream, "repository:a:pull"));
  CHECK(bench.ask(at, wish_for(Verb::post, uploads))->head.status == 202);
  const auto more =
      challenge_to(upstream, "repository:a:pull,push", ",error=\"insufficient_scope\"");
  upstream.guard(uploads, "Bearer push", more);
  CHECK(bench.ask(at, wish_for(Verb::post, uploads))->head.status == 202);
  CHECK(bench.ask(at, wish_for(Verb::post, uploads))->head.status == 202);
  CHECK(upstream.count("POST", uploads) == 5);
  upstream.guard(uploads, "Bearer nobody has", more);
  CHECK(bench.ask(at, wish_for(Verb::post, uploads))->head.status == 401);
  CHECK(upstream.count("POST", uploads) <= 7);  // no going round in circles
}

TEST_CASE("a token for two repositories is asked for when a request reads a second one") {
  struct Row {
    const char* why;
    const char* scope;
    const char* target;
  };
  const Row rows[] = {{"the challenge names one", "repository:a:pull,push",
                       "/token?scope=repository%3Aa%3Apull%2Cpush&scope=repository%3Ab%2Fc%3Apull"},
                      {"the challenge names both", "repository:a:pull,push repository:b/c:pull",
                       "/token?scope=repository%3Aa%3Apull%2Cpush&scope=repository%3Ab%2Fc%3Apull"},
                      {"the challenge names none", "", "/token?scope=repository%3Ab%2Fc%3Apull"}};
  for (const auto& row : rows) {
    CAPTURE(row.why);
    test::ScriptedUpstream upstream;
    upstream.guard("/v2/", "Bearer abc", challenge_to(upstream, row.scope));
    upstream.on("/token").answer(200).json(R"({"token":"abc"})");
    upstream.on(uploads).answer(201);
    Bench bench;
    auto wish = wish_for(Verb::post, uploads);
    wish.also_reads = "b/c";
    CHECK(bench.ask(upstream_at(upstream.url()), std::move(wish))->head.status == 201);
    REQUIRE(token_targets(upstream).size() == 1);
    CHECK(token_targets(upstream).front() == row.target);
  }
}

TEST_CASE("a stream bears what its POST was asked for, and a challenge to it is the answer") {
  test::ScriptedUpstream upstream;
  upstream.guard("/v2/", "Bearer abc", challenge_to(upstream, "repository:a:pull,push"));
  upstream.on("/token").answer(200).json(R"({"token":"abc"})");
  upstream.on(uploads).answer(202);
  upstream.on(uploads + "1").answer(201);
  Bench bench;
  const auto at = upstream_at(upstream.url());
  const auto text = pattern_of(200000);
  const auto early = std::make_shared<TextSource>(text);
  CHECK(bench.ask(at, put_stream(early, text.size()))->head.status == 401);
  CHECK(upstream.count("PUT", uploads + "1") == 1);
  REQUIRE(bench.ask(at, wish_for(Verb::post, uploads))->head.status == 202);
  const auto source = std::make_shared<TextSource>(text);
  CHECK(bench.ask(at, put_stream(source, text.size()))->head.status == 201);
  CHECK(upstream.count("PUT", uploads + "1") == 2);
  CHECK(upstream.requests().back().body == text);
}

TEST_CASE("what is written is led on with its method and bytes, or not at all") {
  struct Row {
    const char* why;
    unsigned status;
    bool streamed;
    bool followed;
  };
  const Row rows[] = {{"moved", 301, false, false},
                      {"found", 302, false, false},
                      {"see other", 303, false, false},
                      {"temporary", 307, false, true},
                      {"permanent", 308, false, true},
                      {"a stream", 307, true, false},
                      {"a stream, for good", 308, true, false}};
  for (const auto& row : rows) {
    CAPTURE(row.why);
    test::ScriptedUpstream upstream;
    test::ScriptedUpstream other;
    for (const auto& from : {path, uploads + "1"}) {
      upstream.on(from).answer(row.status).redirect(other.url() + "/there");
    }
    other.on("/there").answer(201);
    upstream.guard("/v2/", "Basic dXNlcjpzZWNyZXQ=", "Basic realm=\"x\"");
    auto at = upstream_at(upstream.url());
    at.credentials = {{.username = "user", .password = "secret"}};
    Bench bench;
    REQUIRE(bench.ask(at, wish_for(Verb::post, uploads)));  // meets the challenge
    const auto answer =
        bench.ask(at, row.streamed ? put_stream(std::make_shared<TextSource>("hello"), 5)
                                   : put_text("hello"));
    REQUIRE(answer);
    CHECK(answer->head.status == (row.followed ? 201 : row.status));
    CHECK(answer->elsewhere == row.followed);
    REQUIRE(other.requests().size() == (row.followed ? 1 : 0));
    if (!row.followed) continue;
    CHECK(answer->url == url_of(other.url() + "/there"));
    CHECK(other.requests().front().method == "PUT");
    CHECK(other.requests().front().body == "hello");
    CHECK(other.requests().front().header("Authorization").empty());
  }
}

TEST_CASE("a place elsewhere gets no credential, and its challenge is nobody's business") {
  test::ScriptedUpstream upstream;
  test::ScriptedUpstream other;
  upstream.guard("/v2/", "Basic dXNlcjpzZWNyZXQ=", "Basic realm=\"x\"");
  other.guard("/", "Basic dXNlcjpzZWNyZXQ=", "Basic realm=\"x\"");
  auto at = upstream_at(upstream.url());
  at.credentials = {{.username = "user", .password = "secret"}};
  Bench bench;
  REQUIRE(bench.ask(at, wish_for(Verb::post, uploads)));
  auto wish = put_text("hello");
  wish.elsewhere = Destination{.url = url_of(other.url() + "/bytes"),
                               .named_by = *resolver::Address::parse("127.0.0.1")};
  const auto answer = bench.ask(at, std::move(wish));
  REQUIRE(answer);
  CHECK(answer->head.status == 401);
  CHECK(answer->elsewhere);
  CHECK(other.requests().size() == 1);
  CHECK(other.requests().front().header("Authorization").empty());
  auto forbidden = put_text("hello");
  forbidden.elsewhere = Destination{.url = url_of(other.url() + "/bytes"),
                                    .named_by = *resolver::Address::parse("93.184.216.34")};
  const auto refused = bench.ask(at, std::move(forbidden));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::denied);
  CHECK(other.requests().size() == 1);
}

}  // namespace
}  // namespace archway::proxy
