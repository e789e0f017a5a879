#include "proxy/upstream/body.hpp"

#include "tests/proxy/upstream/fixture.hpp"

#include <boost/asio/steady_timer.hpp>
#include <doctest/doctest.h>

namespace archway::proxy {
namespace {

std::string pattern(std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>('a' + i * 31 % 23);
  return bytes;
}

TEST_CASE("a body arrives whole, however it is framed") {
  const std::size_t sizes[] = {0, 1, 100, 16384, 700001};
  for (const auto size : sizes) {
    CAPTURE(size);
    const auto bytes = pattern(size);
    test::ScriptedUpstream upstream;
    upstream.on("/length").answer(200).body(bytes);
    upstream.on("/chunked").answer(200).body(bytes).chunked(4096);
    upstream.on("/tiny-chunks").answer(200).body(bytes.substr(0, 3000)).chunked(1);
    upstream.on("/trailers").answer(200).body(bytes).chunked(1000, "X-A: b\r\nHost: evil\r\n");
    upstream.on("/until-close").answer(200).body(bytes).no_length();
    ExchangeBench bench;
    for (const auto* const path : {"/length", "/chunked", "/trailers", "/until-close"}) {
      CAPTURE(path);
      auto answer = bench.ask(upstream.url() + path);
      REQUIRE(answer);
      const auto text = bench.read(*answer);
      REQUIRE(text);
      CHECK(*text == bytes);
      CHECK(answer->body->finished());
      CHECK(answer->body->received() == size);
    }
    auto answer = bench.ask(upstream.url() + "/tiny-chunks");
    REQUIRE(answer);
    CHECK(*bench.read(*answer) == bytes.substr(0, 3000));
  }
}

TEST_CASE("a connection serves again when its body was read to the proper end") {
  test::ScriptedUpstream upstream;
  upstream.on("/length").answer(200).body("hello");
  upstream.on("/chunked").answer(200).body("hello").chunked(2);
  upstream.on("/empty").answer(200);
  ExchangeBench bench;
  for (const auto* const path : {"/length", "/chunked", "/empty", "/length"}) {
    auto answer = bench.ask(upstream.url() + path);
    REQUIRE(answer);
    REQUIRE(bench.read(*answer));
    CHECK(bench.pool->idle() == 1);
  }
  REQUIRE(bench.ask(upstream.url() + "/length", Verb::head));
  CHECK(bench.pool->idle() == 1);
  CHECK(upstream.connections() == 1);
}

TEST_CASE("a connection is not used again when its end is in doubt") {
  struct Row {
    const char* why;
    const char* path;
  };
  test::ScriptedUpstream upstream;
  upstream.on("/close").answer(200).body("hello").close();
  upstream.on("/until-close").answer(200).body("hello").no_length();
  upstream.on("/extra").answer(200).body("hello").extra("HTTP/1.1 200 OK\r\n\r\n");
  upstream.on("/extra-chunked").answer(200).body("hello").chunked(5).extra("x");
  const Row rows[] = {{"it says so", "/close"},
                      {"its end was the body's", "/until-close"},
                      {"bytes behind the length", "/extra"},
                      {"bytes behind the last chunk", "/extra-chunked"}};
  for (const auto& row : rows) {
    CAPTURE(row.why);
    ExchangeBench bench;
    auto answer = bench.ask(upstream.url() + row.path);
    REQUIRE(answer);
    CHECK(*bench.read(*answer) == "hello");
    const auto before = upstream.connections();
    auto again = bench.ask(upstream.url() + row.path);
    REQUIRE(again);
    CHECK(*bench.read(*again) == "hello");  // never the bytes that were left over
    CHECK(upstream.connections() == before + 1);
  }
}

TEST_CASE("a body that is dropped half read takes its connection with it") {
  test::ScriptedUpstream upstream;
  upstream.on("/blob").answer(200).body(pattern(300000));
  ExchangeBench bench;
  {
    auto answer = bench.ask(upstream.url() + "/blob");
    REQUIRE(answer);
    char byte = 0;
    REQUIRE(test::run(bench.loop, answer->body->read(&byte, 1)));
  }
  CHECK(bench.pool->idle() == 0);
}

TEST_CASE("a body that ends early is an error, never a shorter body") {
  const auto bytes = pattern(50000);
  struct Row {
    const char* why;
    const char* path;
    std::size_t got;
  };
  test::ScriptedUpstream upstream;
  upstream.on("/cut").answer(200).body(bytes).cut_after(25000);
  upstream.on("/cut-at-once").answer(200).body(bytes).cut_after(0);
  upstream.on("/cut-last").answer(200).body(bytes).cut_after(49999);
  upstream.on("/long").answer(200).body(bytes).length(50001).close_silently();
  upstream.on("/chunked").answer(200).body(bytes).chunked(1000).cut_after(25000);
  upstream.on("/no-last-chunk").answer(200).body(bytes).chunked(1000).cut_after(50000);
  const Row rows[] = {{"half", "/cut", 25000},
                      {"nothing", "/cut-at-once", 0},
                      {"all but one", "/cut-last", 49999},
                      {"a length too long", "/long", 50000},
                      {"half the chunks", "/chunked", 25000},
                      {"all but the last chunk", "/no-last-chunk", 50000}};
  for (const auto& row : rows) {
    CAPTURE(row.why);
    ExchangeBench bench;
    auto answer = bench.ask(upstream.url() + row.path);
    REQUIRE(answer);
    std::string all;
    Result<std::size_t> got = std::size_t{1};
    while (got && *got > 0) {
      std::string piece(8192, '\0');
      got = test::run(bench.loop, answer->body->read(piece.data(), piece.size()));
      if (got) all += piece.substr(0, *got);
    }
    REQUIRE_FALSE(got);
    CHECK(got.error().code == Errc::upstream_failed);
    CHECK(got.error().retryable);
    CHECK(all == bytes.substr(0, row.got));
    CHECK_FALSE(answer->body->finished());
    CHECK_FALSE(bench.read(*answer));
    CHECK(bench.pool->idle() == 0);
  }
}

TEST_CASE("a reset connection is an error in every framing") {
  test::ScriptedUpstream upstream;
  const auto gate = upstream.gate();
  upstream.on("/length").answer(200).body(pattern(50)).hold_at(20, gate).reset_after(20);
  auto& endless = upstream.on("/no-length").answer(200).body(pattern(50)).hold_at(20, gate);
  endless.no_length().reset_after(20);
  for (const auto* const path : {"/length", "/no-length"}) {
    CAPTURE(path);
    ExchangeBench bench;
    auto answer = bench.ask(upstream.url() + path);
    REQUIRE(answer);
    std::string piece(100, '\0');
    const auto got = test::run(bench.loop, answer->body->read(piece.data(), piece.size()));
    REQUIRE(got);
    CHECK(*got <= 20);
    gate->release();
    const auto rest = bench.read(*answer);
    REQUIRE_FALSE(rest);
    CHECK(rest.error().code == Errc::upstream_failed);
  }
}

TEST_CASE("bytes are handed on one by one when they come one by one") {
  test::ScriptedUpstream upstream;
  const auto gate = upstream.gate();
  upstream.on("/length").answer(200).body("abc").drip(gate);
  upstream.on("/chunked").answer(200).body("abc").chunked(1).drip(gate);
  for (const auto* const path : {"/length", "/chunked"}) {
    CAPTURE(path);
    ExchangeBench bench;
    auto answer = bench.ask(upstream.url() + path);  // the head is there before any byte
    REQUIRE(answer);
    for (const char want : std::string("abc")) {
      gate->release();
      std::string piece(100, '\0');
      const auto got = test::run(bench.loop, answer->body->read(piece.data(), piece.size()));
      REQUIRE(got);
      CHECK(*got == 1);
      CHECK(piece.front() == want);
    }
    CHECK(*bench.read(*answer) == "");
  }
}

TEST_CASE("silence in a body ends it") {
  test::ScriptedUpstream upstream;
  upstream.on("/length").answer(200).body("hello").hold_at(2, upstream.gate());
  upstream.on("/chunked").answer(200).body("hello").chunked(1).hold_at(2, upstream.gate());
  upstream.on("/until-close").answer(200).body("hello").no_length().hold_at(2, upstream.gate());
  for (const auto* const path : {"/length", "/chunked", "/until-close"}) {
    CAPTURE(path);
    ExchangeBench bench(short_timeouts());
    auto answer = bench.ask(upstream.url() + path);
    REQUIRE(answer);
    const auto text = bench.read(*answer);
    REQUIRE_FALSE(text);
    CHECK(text.error().code == Errc::upstream_unreachable);
    CHECK(text.error().retryable);
  }
}

TEST_CASE("a reader may take its time: only a wait for bytes is bounded") {
  test::ScriptedUpstream upstream;
  upstream.on("/length").answer(200).body(std::string(100, 'x'));
  upstream.on("/chunked").answer(200).body(std::string(100, 'x')).chunked(10);
  for (const auto* const path : {"/length", "/chunked"}) {
    CAPTURE(path);
    ExchangeBench bench(short_timeouts());
    auto answer = bench.ask(upstream.url() + path);
    REQUIRE(answer);
    std::string piece(7, '\0');
    REQUIRE(test::run(bench.loop, answer->body->read(piece.data(), piece.size())));
    // Two ticks of the clock that watches deadlines, both of the bounds long over.
    boost::asio::steady_timer pause(bench.loop, 2 * Deadlines::tick + short_timeouts().stall);
    bool over = false;
    pause.async_wait([&over](boost::system::error_code) { over = true; });
    while (!over) bench.loop.run_one();
    CHECK(bench.read(*answer));
  }
}

TEST_CASE("chunks are read strictly") {
  std::string trailers;
  while (trailers.size() <= trailer_bytes_max + 1000) trailers += "X-Trailer: something\r\n";
  const std::string head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string extension(chunk_extension_bytes_max - 1, 'x');
  struct Row {
    const char* why;
    std::string body;
    bool good;
  };
  const Row rows[] = {
      {"plain", "5\r\nhello\r\n0\r\n\r\n", true},
      {"leading zeros and capitals", "00005\r\nhello\r\n000\r\n\r\n", true},
      {"extension", "5;a=b\r\nhello\r\n0\r\n\r\n", true},
      {"blank before the extension", "5 ;a=b\r\nhello\r\n0\r\n\r\n", true},
      {"long extension", "5;" + extension + "\r\nhello\r\n0\r\n\r\n", true},
      {"trailer", "5\r\nhello\r\n0\r\nX: y\r\n\r\n", true},
      {"too long an extension", "5;xxxxxxxxxxxxxxxxxx" + extension + "\r\nhello\r\n0\r\n\r\n",
       false},
      {"no size", "\r\nhello\r\n0\r\n\r\n", false},
      {"no hexadecimal", "g\r\nhello\r\n0\r\n\r\n", false},
      {"0x", "0x5\r\nhello\r\n0\r\n\r\n", false},
      {"a sign", "+5\r\nhello\r\n0\r\n\r\n", false},
      {"negative", "-5\r\nhello\r\n0\r\n\r\n", false},
      {"blank in front", " 5\r\nhello\r\n0\r\n\r\n", false},
      {"blank behind", "5 \r\nhello\r\n0\r\n\r\n", false},
      {"something behind", "5 x\r\nhello\r\n0\r\n\r\n", false},
      {"too many digits", "0000000000000005\r\nhello\r\n0\r\n\r\n", false},
      {"2^64", "10000000000000000\r\nhello\r\n0\r\n\r\n", false},
      {"bare LF behind the size", "5\nhello\r\n0\r\n\r\n", false},
      {"bare LF behind the data", "5\r\nhello\n0\r\n\r\n", false},
      {"two bytes too many", "5\r\nhelloXX0\r\n\r\n", false},
      {"longer than said", "5\r\nhello!\r\n0\r\n\r\n", false},
      {"shorter than said", "6\r\nhello\r\n0\r\n\r\n", false},
      {"control byte in an extension", "5;\x01\r\nhello\r\n0\r\n\r\n", false},
      {"bare CR in an extension", "5;a\rb\r\nhello\r\n0\r\n\r\n", false},
      {"no last chunk", "5\r\nhello\r\n", false},
      {"no end of the trailers", "5\r\nhello\r\n0\r\n", false},
      {"half an end", "5\r\nhello\r\n0\r\n\r", false},
      {"bare LF in the trailers", "5\r\nhello\r\n0\r\nX: y\n\r\n", false},
      {"endless trailers",
       "5\r\nhello\r\n0\r\n" + std::string(trailer_bytes_max + 10, 'x') + "\r\n\r\n", false},
      {"too many trailers", "5\r\nhello\r\n0\r\n" + trailers + "\r\n", false},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    test::ScriptedUpstream upstream;
    upstream.on("/").answer(200).raw(head + row.body);
    ExchangeBench bench;
    auto answer = bench.ask(upstream.url() + "/");
    REQUIRE(answer);
    const auto text = bench.read(*answer);
    REQUIRE(text.has_value() == row.good);
    if (row.good) CHECK(*text == "hello");
    if (!row.good) CHECK(text.error().code == Errc::upstream_failed);
  }
}

TEST_CASE("read_all stops at its bound in every framing") {
  test::ScriptedUpstream upstream;
  upstream.on("/length").answer(200).body(pattern(101));
  upstream.on("/chunked").answer(200).body(pattern(101)).chunked(10);
  upstream.on("/until-close").answer(200).body(pattern(101)).no_length();
  for (const auto* const path : {"/length", "/chunked", "/until-close"}) {
    CAPTURE(path);
    ExchangeBench bench;
    auto answer = bench.ask(upstream.url() + path);
    REQUIRE(answer);
    const auto too_much = bench.read(*answer, 100);
    REQUIRE_FALSE(too_much);
    CHECK_FALSE(too_much.error().retryable);
    answer = bench.ask(upstream.url() + path);
    CHECK(bench.read(*answer, 101));
  }
}

TEST_CASE("a body that is read whole has its free time, and then has to keep its pace") {
  const Pace pace{.free = std::chrono::seconds(60), .bytes_per_s = 1024};
  CHECK(pace.time_for(60 * 1024) == std::chrono::seconds(60));
  CHECK(pace.time_for(61 * 1024) == std::chrono::seconds(61));
  test::ScriptedUpstream upstream;
  upstream.on("/length").answer(200).body("hello").hold_at(2, upstream.gate());
  upstream.on("/chunked").answer(200).body("hello").chunked(1).hold_at(2, upstream.gate());
  for (const auto* const path : {"/length", "/chunked"}) {
    CAPTURE(path);
    ExchangeBench bench;
    auto answer = bench.ask(upstream.url() + path);
    REQUIRE(answer);
    const Pace hasty{.free = std::chrono::milliseconds(1), .bytes_per_s = 1024};
    const auto text = test::run(bench.loop, answer->body->read_all(100, hasty));
    REQUIRE_FALSE(text);
    CHECK(text.error().code == Errc::upstream_unreachable);
    CHECK(text.error().message == "the upstream sends too slowly");
    CHECK(text.error().retryable);
  }
}

TEST_CASE("what is left of a body is not waited for long") {
  test::ScriptedUpstream upstream;
  upstream.on("/").answer(401).body("hello").hold_at(2, upstream.gate());
  ExchangeBench bench;
  auto answer = bench.ask(upstream.url() + "/");
  REQUIRE(answer);
  test::run(bench.loop, answer->body->discard(std::chrono::milliseconds(1)));
  CHECK_FALSE(answer->body->finished());
  CHECK(bench.pool->idle() == 0);
}

TEST_CASE("a TLS connection that ends without close_notify may have been cut") {
  test::ScriptedUpstream upstream({.tls = true});
  upstream.on("/cut").answer(200).body("hello").no_length().without_close_notify();
  upstream.on("/ended").answer(200).body("hello").no_length();
  ExchangeBench bench({}, upstream.ca_file());
  auto cut = bench.ask(upstream.url() + "/cut");
  REQUIRE(cut);
  const auto text = bench.read(*cut);
  REQUIRE_FALSE(text);
  CHECK(text.error().code == Errc::upstream_failed);
  auto ended = bench.ask(upstream.url() + "/ended");
  REQUIRE(ended);
  CHECK(*bench.read(*ended) == "hello");
}

}  // namespace
}  // namespace archway::proxy
