#include "proxy/upstream/exchange.hpp"

#include "tests/proxy/upstream/fixture.hpp"

#include <doctest/doctest.h>

namespace archway::proxy {
namespace {

TEST_CASE("a request says who asks and wants the bytes uncoded") {
  test::ScriptedUpstream upstream;
  upstream.on("/a").answer(200).body("hello");
  ExchangeBench bench;
  Ask ask;
  ask.destination.url = url_of(upstream.url() + "/a?b=c");
  ask.fields.add("Accept", "text/plain");
  auto answer = test::run(bench.loop, bench.exchange->run(std::move(ask)));
  REQUIRE(answer);
  CHECK(answer->head.status == 200);
  CHECK(answer->address == *resolver::Address::parse("127.0.0.1"));
  const auto seen = upstream.requests().front();
  CHECK(seen.method == "GET");
  CHECK(seen.target == "/a?b=c");
  CHECK(seen.header("Host") == "127.0.0.1:" + std::to_string(upstream.port()));
  CHECK(seen.header("User-Agent").starts_with("archway/"));
  CHECK(seen.header("Accept-Encoding") == "identity");
  CHECK(seen.header("Connection") == "keep-alive");
  CHECK(seen.header("Accept") == "text/plain");
  CHECK(seen.header("Content-Length").empty());
  CHECK(seen.header("Authorization").empty());
}

TEST_CASE("interim answers are passed over, up to ten") {
  for (const int interim : {0, 1, 10, 11}) {
    CAPTURE(interim);
    test::ScriptedUpstream upstream;
    auto& script = upstream.on("/").answer(200).body("hello");
    for (int i = 0; i < interim; ++i) script.interim(i % 2 == 0 ? 100 : 103);
    ExchangeBench bench;
    auto answer = bench.ask(upstream.url() + "/");
    REQUIRE(answer.has_value() == (interim <= 10));
    if (answer) CHECK(*bench.read(*answer) == "hello");
    if (!answer) CHECK(answer.error().code == Errc::upstream_failed);
  }
}

TEST_CASE("an answer that is none is refused") {
  struct Row {
    const char* why;
    std::string bytes;
    Errc code;
  };
  const Row rows[] = {
      {"another protocol", "SSH-2.0-OpenSSH_9.2\r\n", Errc::upstream_failed},
      {"a TLS alert", "\x15\x03\x01\x02\x02\x16", Errc::upstream_failed},
      {"a page without a head", "<html>hello</html>", Errc::upstream_failed},
      {"HTTP/2", "HTTP/2 200 OK\r\n\r\n", Errc::upstream_failed},
      {"half a head", "HTTP/1.1 200 OK\r\nContent-", Errc::upstream_failed},
      {"an interim answer alone", "HTTP/1.1 100 Continue\r\n\r\n", Errc::upstream_unreachable},
      {"an offer nobody asked for", "HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\n\r\n",
       Errc::upstream_failed},
      {"two framings", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
       Errc::upstream_failed},
      {"an endless head", "HTTP/1.1 200 OK\r\nX: " + std::string(100000, 'x'),
       Errc::upstream_failed},
      {"an end in silence", "", Errc::upstream_unreachable},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    test::ScriptedUpstream upstream;
    upstream.on("/").answer(200).raw(row.bytes);
    ExchangeBench bench;
    const auto answer = bench.ask(upstream.url() + "/?secret=signature");
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code == row.code);
    CHECK(answer.error().retryable);
    CHECK(answer.error().context.find("GET http://127.0.0.1") == 0);
    CHECK(answer.error().context.find("signature") == std::string::npos);
    CHECK(bench.pool->idle() == 0);
    CHECK(upstream.requests().size() == 1);  // on a new connection nothing is tried twice
  }
}

TEST_CASE("a request is sent once more when its idle connection had just been closed") {
  test::ScriptedUpstream upstream;
  upstream.on("/first").answer(200).body("hello");
  upstream.on("/second").answer(200).raw("");  // the end instead of an answer
  upstream.on("/second").answer(200).body("again");
  ExchangeBench bench;
  auto first = bench.ask(upstream.url() + "/first");
  REQUIRE(first);
  REQUIRE(bench.read(*first));
  auto second = bench.ask(upstream.url() + "/second");
  REQUIRE(second);
  CHECK(*bench.read(*second) == "again");
  CHECK(upstream.count("GET", "/second") == 2);
  CHECK(upstream.connections() == 2);
}

TEST_CASE("a request is not sent once more when its answer had begun") {
  test::ScriptedUpstream upstream;
  upstream.on("/first").answer(200).body("hello");
  upstream.on("/second").answer(200).raw("HTTP/1.1 20");
  ExchangeBench bench;
  auto first = bench.ask(upstream.url() + "/first");
  REQUIRE(first);
  REQUIRE(bench.read(*first));
  CHECK_FALSE(bench.ask(upstream.url() + "/second"));
  CHECK(upstream.count("GET", "/second") == 1);
}

TEST_CASE("an idle connection that the upstream has ended is noticed before it is used") {
  test::ScriptedUpstream upstream;
  upstream.on("/").answer(200).body("hello").close_silently();
  ExchangeBench bench;
  for (int i = 0; i < 3; ++i) {
    auto answer = bench.ask(upstream.url() + "/");
    REQUIRE(answer);
    CHECK(*bench.read(*answer) == "hello");
  }
  CHECK(upstream.connections() == 3);
}

TEST_CASE("an upstream that does not answer in time is unreachable, and is not asked twice") {
  test::ScriptedUpstream upstream;
  upstream.on("/quick").answer(200).body("hello");
  upstream.on("/slow").answer(200).hang(upstream.gate());
  ExchangeBench bench(short_timeouts());
  auto quick = bench.ask(upstream.url() + "/quick");
  REQUIRE(quick);
  REQUIRE(bench.read(*quick));
  const auto slow = bench.ask(upstream.url() + "/slow");
  REQUIRE_FALSE(slow);
  CHECK(slow.error().code == Errc::upstream_unreachable);
  CHECK(slow.error().message == "the upstream did not answer in time");
  CHECK(upstream.count("GET", "/slow") == 1);
}

TEST_CASE("a head has no body, whatever it says") {
  test::ScriptedUpstream upstream;
  upstream.on("/").answer(200).body(std::string(1000, 'x'));
  ExchangeBench bench;
  auto answer = bench.ask(upstream.url() + "/", Verb::head);
  REQUIRE(answer);
  CHECK(answer->head.content_length == 1000);
  CHECK(answer->body->finished());
  CHECK(*bench.read(*answer) == "");
  CHECK(upstream.requests().front().method == "HEAD");
}

TEST_CASE("everything works over TLS, connections serve again") {
  test::ScriptedUpstream upstream({.tls = true});
  upstream.on("/").answer(200).body(std::string(500000, 'x'));
  ExchangeBench bench({}, upstream.ca_file());
  for (int i = 0; i < 3; ++i) {
    auto answer = bench.ask(upstream.url() + "/");
    REQUIRE(answer);
    CHECK(bench.read(*answer)->size() == 500000);
  }
  CHECK(upstream.connections() == 1);
}

}  // namespace
}  // namespace archway::proxy
