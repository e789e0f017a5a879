#include "proxy/upstream/request_body.hpp"

#include "tests/proxy/upstream/fixture.hpp"
#include "tests/proxy/upstream/sources.hpp"

#include <doctest/doctest.h>
#include <vector>

namespace archway::proxy {
namespace {

// More than the buffers of two sockets ever hold.
constexpr std::size_t huge = 32 * 1024 * 1024;

RequestBody streamed(std::shared_ptr<TextSource> source, std::uint64_t size) {
  RequestBody body;
  body.source = std::move(source);
  body.size = size;
  return body;
}

Result<Answer> put(ExchangeBench& bench, const std::string& url, RequestBody body,
                   Verb verb = Verb::put) {
  Ask ask;
  ask.verb = verb;
  ask.destination.url = url_of(url);
  ask.body = std::move(body);
  return test::run(bench.loop, bench.exchange->run(std::move(ask)));
}

TEST_CASE("what is written says how long it is, also when it is nothing") {
  test::ScriptedUpstream upstream;
  upstream.on("/a").answer(201);
  ExchangeBench bench;
  REQUIRE(put(bench, upstream.url() + "/a", {}, Verb::post));
  REQUIRE(put(bench, upstream.url() + "/a", RequestBody::of("hello")));
  const auto seen = upstream.requests();
  CHECK(seen[0].method == "POST");
  CHECK(seen[0].header("Content-Length") == "0");
  CHECK(seen[1].method == "PUT");
  CHECK(seen[1].header("Content-Length") == "5");
  CHECK(seen[1].body == "hello");
  CHECK(upstream.connections() == 1);
}

TEST_CASE("a body arrives whole, from memory and from a source, plain and over TLS") {
  struct Row {
    const char* why;
    std::size_t size;
    std::size_t piece;
  };
  const Row rows[] = {{"one byte", 1, 1},
                      {"small pieces", 1000, 7},
                      {"one piece", BodySender::piece_bytes, BodySender::piece_bytes},
                      {"one byte more", BodySender::piece_bytes + 1, BodySender::piece_bytes},
                      {"much", 3000001, 50000}};
  for (const bool tls : {false, true}) {
    for (const auto& row : rows) {
      CAPTURE(tls);
      CAPTURE(row.why);
      const auto text = pattern_of(row.size);
      test::ScriptedUpstream upstream({.tls = tls});
      upstream.on("/a").answer(201).body("done");
      ExchangeBench bench({}, upstream.ca_file_or_none());
      for (const bool from_source : {false, true}) {
        auto body = from_source ? streamed(std::make_shared<TextSource>(text, row.piece), row.size)
                                : RequestBody::of(text);
        std::vector<std::uint64_t> sent;
        body.sent = [&sent](std::uint64_t bytes) { sent.push_back(bytes); };
        auto answer = put(bench, upstream.url() + "/a", std::move(body));
        REQUIRE(answer);
        CHECK(*bench.read(*answer) == "done");
        CHECK(upstream.requests().back().body == text);
        REQUIRE_FALSE(sent.empty());
        CHECK(std::is_sorted(sent.begin(), sent.end()));
        CHECK(sent.back() == row.size);
      }
      CHECK(upstream.connections() == 1);
    }
  }
}

TEST_CASE("a refusal in the middle of the body is heard, and nothing more is sent") {
  for (const bool tls : {false, true}) {
    for (const bool from_source : {false, true}) {
      CAPTURE(tls);
      CAPTURE(from_source);
      test::ScriptedUpstream upstream({.tls = tls});
      upstream.on("/a")
          .answer(413)
          .interim(102)
          .body("too large")
          .refuse_body_after(1000, upstream.gate());
      upstream.on("/b").answer(200);
      ExchangeBench bench({}, upstream.ca_file_or_none());
      const auto source = std::make_shared<TextSource>(pattern_of(huge));
      auto body = from_source ? streamed(source, huge) : RequestBody::of(pattern_of(huge));
      std::uint64_t sent = 0;
      body.sent = [&sent](std::uint64_t bytes) { sent = bytes; };
      auto answer = put(bench, upstream.url() + "/a", std::move(body));
      REQUIRE(answer);
      CHECK(answer->head.status == 413);
      CHECK(*bench.read(*answer) == "too large");
      CHECK(sent < huge);
      CHECK(source->taken < huge);
      CHECK(bench.pool->idle() == 0);  // The rest of the body would be the next request's head.
      CHECK(bench.ask(upstream.url() + "/b"));
      CHECK(upstream.connections() == 2);
    }
  }
}

TEST_CASE("a refusal is heard though the connection is reset behind it") {
  test::ScriptedUpstream upstream;
  const auto gate = upstream.gate();
  gate->open();
  upstream.on("/a").answer(401).body("no").refuse_body_after(1000, gate);
  ExchangeBench bench;
  const auto answer = put(bench, upstream.url() + "/a", RequestBody::of(pattern_of(huge)));
  REQUIRE(answer);
  CHECK(answer->head.status == 401);
}

TEST_CASE("an upstream that takes nothing more, and says nothing, is unreachable") {
  for (const bool from_source : {false, true}) {
    CAPTURE(from_source);
    test::ScriptedUpstream upstream;
    upstream.on("/a").answer(201).refuse_body_after(10, upstream.gate()).hang(upstream.gate());
    ExchangeBench bench(short_timeouts());
    auto body = from_source ? streamed(std::make_shared<TextSource>(pattern_of(huge)), huge)
                            : RequestBody::of(pattern_of(huge));
    const auto answer = put(bench, upstream.url() + "/a", std::move(body));
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code == Errc::upstream_unreachable);
    CHECK(answer.error().message == "the upstream did not answer in time");
    CHECK(upstream.connections() == 1);
  }
}

TEST_CASE("a source that breaks off ends the request with its own error, unfinished") {
  struct Row {
    const char* why;
    std::optional<std::size_t> fails_at;
    Errc code;
  };
  const Row rows[] = {{"at once", 0, Errc::storage_failed},
                      {"in the middle", 70000, Errc::storage_failed},
                      {"by giving less than it promised", std::nullopt, Errc::upstream_failed}};
  for (const auto& row : rows) {
    CAPTURE(row.why);
    test::ScriptedUpstream upstream;
    upstream.on("/a").answer(201);
    ExchangeBench bench;
    const auto source = std::make_shared<TextSource>(pattern_of(100000), 10000);
    source->fails_at = row.fails_at;
    const auto answer = put(bench, upstream.url() + "/a", streamed(source, 100001));
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code == row.code);
    CHECK(answer.error().context.find("PUT http://127.0.0.1") == 0);
    REQUIRE(upstream.wait_for("PUT", "/a"));
    CHECK(upstream.requests().front().body.size() < 100001);
    CHECK(bench.pool->idle() == 0);
  }
}

TEST_CASE("on a connection that had just ended bytes are sent once more, a source is not") {
  for (const bool from_source : {false, true}) {
    CAPTURE(from_source);
    test::ScriptedUpstream upstream;
    upstream.on("/first").answer(200).body("hello");
    upstream.on("/a").answer(201).vanish();
    upstream.on("/a").answer(201);
    ExchangeBench bench;
    auto first = bench.ask(upstream.url() + "/first");
    REQUIRE(first);
    REQUIRE(bench.read(*first));
    const auto text = pattern_of(1000);
    auto body = from_source ? streamed(std::make_shared<TextSource>(text), text.size())
                            : RequestBody::of(text);
    const auto answer = put(bench, upstream.url() + "/a", std::move(body));
    CHECK(answer.has_value() == !from_source);
    CHECK(upstream.count("PUT", "/a") == (from_source ? 1 : 2));
    CHECK(upstream.requests().back().body == text);
  }
}

}  // namespace
}  // namespace archway::proxy
