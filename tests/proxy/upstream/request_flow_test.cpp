#include "proxy/upstream/request_flow.hpp"

#include "metrics/log.hpp"
#include "tests/proxy/upstream/fixture.hpp"

#include <algorithm>
#include <doctest/doctest.h>

namespace archway::proxy {
namespace {

const std::string canary = "Basic dXNlcjpzZWNyZXQ=";  // user:secret
const std::string path = "/v2/a/manifests/1";

struct Bench : ExchangeBench {
  std::shared_ptr<Tokens> tokens = std::make_shared<Tokens>(nullptr);

  using ExchangeBench::ExchangeBench;

  Result<Answer> ask(const Settings::Upstream& upstream, const std::string& target = path,
                     Verb verb = Verb::get) {
    RequestFlow flow({.upstream = std::make_shared<Settings::Upstream>(upstream),
                      .exchange = exchange,
                      .tokens = tokens,
                      .timeouts = {}});
    RequestFlow::Wish wish;
    wish.verb = verb;
    wish.target = target;
    wish.repository = "a";
    wish.fields.add("Accept", "text/plain");
    return test::run(loop, flow.run(std::move(wish)));
  }
};

Settings::Upstream with_credentials(const std::string& url) {
  auto upstream = upstream_at(url);
  upstream.credentials = {{.username = "user", .password = "secret"}};
  return upstream;
}

std::string challenge_to(const std::string& realm) {
  return "Bearer realm=\"" + realm + "\",service=\"s\",scope=\"repository:a:pull\"";
}

bool saw_authorization(const test::ScriptedUpstream& upstream) {
  const auto requests = upstream.requests();
  return std::any_of(requests.begin(), requests.end(),
                     [](const auto& request) { return !request.header("Authorization").empty(); });
}

TEST_CASE("an open upstream is asked once, without a credential even where there is one") {
  test::ScriptedUpstream upstream;
  upstream.on(path).answer(200).body("hello");
  Bench bench;
  auto answer = bench.ask(with_credentials(upstream.url()));
  REQUIRE(answer);
  CHECK(*bench.read(*answer) == "hello");
  CHECK(upstream.requests().size() == 1);
  CHECK_FALSE(saw_authorization(upstream));
}

TEST_CASE("a challenge is met with a token, and the next request bears it at once") {
  test::ScriptedUpstream upstream;
  upstream.guard("/v2/", "Bearer abc", challenge_to(upstream.url() + "/token"));
  upstream.on("/token").answer(200).json(R"({"token":"abc"})");
  upstream.on(path).answer(200).body("hello");
  Bench bench;
  const std::size_t seen[] = {3, 4};
  for (const auto requests : seen) {
    auto answer = bench.ask(with_credentials(upstream.url()));
    REQUIRE(answer);
    CHECK(*bench.read(*answer) == "hello");
    CHECK(upstream.requests().size() == requests);
  }
  CHECK(upstream.count("GET", "/token") == 1);
  CHECK(upstream.connections() == 1);  // refusals are read to their end, too
}

TEST_CASE("a token that is good no more is replaced once") {
  test::ScriptedUpstream upstream;
  const auto challenge = challenge_to(upstream.url() + "/token");
  upstream.on("/token").answer(200).json(R"({"token":"one"})");
  upstream.on("/token").answer(200).json(R"({"token":"two"})");
  upstream.on("/token").answer(200).json(R"({"token":"three"})");
  upstream.on(path).answer(200).body("hello");
  upstream.guard("/v2/", "Bearer one", challenge);
  Bench bench;
  CHECK(bench.ask(upstream_at(upstream.url()))->head.status == 200);
  upstream.guard("/v2/", "Bearer two", challenge);
  CHECK(bench.ask(upstream_at(upstream.url()))->head.status == 200);
  CHECK(upstream.count("GET", "/token") == 2);
  upstream.guard("/v2/", "Bearer nobody knows", challenge);
  CHECK(bench.ask(upstream_at(upstream.url()))->head.status == 401);
  CHECK(upstream.count("GET", "/token") == 3);
}

TEST_CASE("Basic is met with the credentials, and refused ones are not sent again and again") {
  test::ScriptedUpstream upstream;
  upstream.guard("/v2/", canary, "Basic realm=\"here\"");
  upstream.on(path).answer(200).body("hello");
  Bench bench;
  CHECK(bench.ask(with_credentials(upstream.url()))->head.status == 200);
  CHECK(upstream.requests().size() == 2);
  CHECK(bench.ask(with_credentials(upstream.url()))->head.status == 200);
  CHECK(upstream.requests().size() == 3);
  upstream.guard("/v2/", "Basic other", "Basic realm=\"here\"");
  CHECK(bench.ask(with_credentials(upstream.url()))->head.status == 401);
  CHECK(upstream.requests().size() == 4);
}

TEST_CASE("a refusal without a challenge that can be met is an answer") {
  test::ScriptedUpstream upstream;
  upstream.on(path).answer(401).header("WWW-Authenticate", "Negotiate").body("no");
  Bench bench;
  auto answer = bench.ask(with_credentials(upstream.url()));
  REQUIRE(answer);
  CHECK(answer->head.status == 401);
  CHECK(*bench.read(*answer) == "no");
  CHECK_FALSE(saw_authorization(upstream));
}

TEST_CASE("redirects are followed with the same question") {
  for (const unsigned status : {301U, 302U, 303U, 307U, 308U}) {
    for (const auto verb : {Verb::get, Verb::head}) {
      CAPTURE(status);
      test::ScriptedUpstream upstream;
      upstream.on(path).answer(status).redirect("/elsewhere?x=y").body("moved");
      upstream.on("/elsewhere").answer(200).body("hello");
      Bench bench;
      const auto answer = bench.ask(upstream_at(upstream.url()), path, verb);
      REQUIRE(answer);
      CHECK(answer->head.status == 200);
      const auto last = upstream.requests().back();
      CHECK(last.target == "/elsewhere?x=y");
      CHECK(last.method == (verb == Verb::head ? "HEAD" : "GET"));
      CHECK(last.header("Accept") == "text/plain");
    }
  }
}

TEST_CASE("a credential stays with the origin it is for, whichever way it is led") {
  struct Row {
    const char* why;
    bool basic;
    bool back_home;   // the other origin leads back to the upstream
    bool challenges;  // the other origin asks for the credential
    unsigned status;
  };
  const Row rows[] = {
      {"Basic, to a CDN", true, false, false, 200},
      {"Bearer, to a CDN", false, false, false, 200},
      {"Basic, asked for elsewhere", true, false, true, 401},
      {"Bearer, asked for elsewhere", false, false, true, 401},
      {"there and back", false, true, false, 401},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    test::ScriptedUpstream upstream;
    test::ScriptedUpstream other;
    upstream.guard("/v2/", row.basic ? canary : "Bearer abc",
                   row.basic ? "Basic realm=\"x\"" : challenge_to(upstream.url() + "/token"));
    upstream.on("/token").answer(200).json(R"({"token":"abc"})");
    upstream.on(path).answer(307).redirect(other.url() + "/blob");
    if (row.back_home) {
      other.on("/blob").answer(307).redirect(upstream.url() + "/v2/b");
    } else if (row.challenges) {
      other.on("/blob").answer(401).header(
          "WWW-Authenticate",
          row.basic ? "Basic realm=\"x\"" : challenge_to(other.url() + "/token"));
    } else {
      other.on("/blob").answer(200).body("hello");
    }
    Bench bench;
    const auto answer = bench.ask(with_credentials(upstream.url()));
    REQUIRE(answer);
    CHECK(answer->head.status == row.status);
    CHECK(other.requests().size() == 1);
    CHECK_FALSE(saw_authorization(other));
    if (row.back_home) CHECK(upstream.requests().back().header("Authorization").empty());
  }
}

TEST_CASE("a redirect that leads where it must not is not followed") {
  test::ScriptedUpstream secure({.tls = true});
  test::ScriptedUpstream plain;
  struct Row {
    const char* why;
    std::string location;
    Errc code;
  };
  const Row rows[] = {
      {"from https to http", plain.url() + "/blob", Errc::upstream_failed},
      {"another scheme", "file:///etc/passwd", Errc::upstream_failed},
      {"user information", "https://user@127.0.0.1:" + std::to_string(plain.port()) + "/",
       Errc::upstream_failed},
      {"nowhere", "", Errc::upstream_failed},
      {"the metadata service", "https://169.254.169.254/latest", Errc::denied},
      {"a name of the metadata service", "https://metadata.test/latest", Errc::denied},
      {"everywhere", "https://0.0.0.0:" + std::to_string(plain.port()) + "/", Errc::denied},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    test::ScriptedUpstream upstream({.tls = true});
    upstream.on(path).answer(307).redirect(row.location);
    Bench bench({}, upstream.ca_file(), {{"metadata.test", "169.254.169.254"}});
    const auto answer = bench.ask(with_credentials(upstream.url()));
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code == row.code);
  }
  CHECK(plain.connections() == 0);
}

TEST_CASE("five redirects are followed and no more") {
  for (const int hops : {5, 6}) {
    CAPTURE(hops);
    test::ScriptedUpstream upstream;
    for (int i = 0; i < hops; ++i) {
      const auto from = i == 0 ? path : "/" + std::to_string(i);
      upstream.on(from).answer(302).redirect("/" + std::to_string(i + 1));
    }
    upstream.on("/" + std::to_string(hops)).answer(200).body("hello");
    Bench bench;
    const auto answer = bench.ask(upstream_at(upstream.url()));
    REQUIRE(answer.has_value() == (hops == 5));
    if (!answer) CHECK(answer.error().code == Errc::upstream_failed);
    CHECK(upstream.requests().size() == 6);
  }
}

TEST_CASE("a circle of redirects ends") {
  test::ScriptedUpstream upstream;
  upstream.on(path).answer(302).redirect(path);
  Bench bench;
  CHECK_FALSE(bench.ask(upstream_at(upstream.url())));
  CHECK(upstream.requests().size() == 6);
}

/// Keeps what is logged.
class Lines final : public metrics::Log {
 public:
  bool enabled(metrics::Level) const override { return true; }
  void write(metrics::Level, std::string_view message,
             std::vector<metrics::Field> fields) override {
    text += message;
    for (const auto& field : fields) {
      if (const auto* value = std::get_if<std::string>(&field.value)) text += " " + *value;
    }
    text += '\n';
  }
  void write_seldom(std::string_view, metrics::Level level, std::string_view message,
                    std::vector<metrics::Field> fields) override {
    write(level, message, std::move(fields));
  }
  std::uint64_t dropped() const override { return 0; }

  std::string text;
};

TEST_CASE("every exchange leaves a debug line, none of them a secret") {
  test::ScriptedUpstream upstream;
  test::ScriptedUpstream cdn;
  upstream.guard("/v2/", "Bearer t0ken-canary", challenge_to(upstream.url() + "/token"));
  upstream.on("/token").answer(200).json(R"({"token":"t0ken-canary"})");
  upstream.on("/v2/a/blobs/sha256:" + std::string(64, 'a'))
      .answer(307)
      .redirect(cdn.url() + "/blob?X-Amz-Signature=s1gnature-canary");
  cdn.on("/blob").answer(500);
  Lines lines;
  RegistryBench bench(with_credentials(upstream.url()), {}, {}, &lines);
  const auto digest = *Digest::parse("sha256:" + std::string(64, 'a'));
  const auto blob =
      bench.run(bench.registry->open_blob(*Repository::parse("a"), digest, std::uint64_t{0}));
  REQUIRE_FALSE(blob);
  CAPTURE(lines.text);
  CHECK(std::count(lines.text.begin(), lines.text.end(), '\n') == 4);
  CHECK(lines.text.find("/v2/a/blobs/") != std::string::npos);
  CHECK(lines.text.find(cdn.url() + "/blob") != std::string::npos);
  for (const auto* const secret : {"canary", "secret", "dXNlcjpzZWNyZXQ"}) {
    CHECK(lines.text.find(secret) == std::string::npos);
    CHECK((blob.error().message + blob.error().context).find(secret) == std::string::npos);
  }
}

}  // namespace
}  // namespace archway::proxy
