#include "proxy/http/connection.hpp"

#include "tests/support/scripted_wire.hpp"
#include "tests/support/served.hpp"

#include <doctest/doctest.h>
#include <openssl/ssl.h>
#include <string>

namespace archway::proxy {
namespace {

using test::RawClient;
using namespace std::chrono_literals;

std::string get(const std::string& target, const std::string& lines = "") {
  return "GET " + target + " HTTP/1.1\r\nHost: a\r\n" + lines + "\r\n";
}

TEST_CASE("a connection answers one request after the other") {
  test::ScriptedHandler handler;
  test::Served served(handler);
  auto client = served.connect();
  for (const std::string target : {"/one", "/two", "/three"}) {
    client.wire.say(get(target));
    const auto answer = client.wire.hear_answer();
    CHECK(answer.head.starts_with("HTTP/1.1 200 OK\r\n"));
    CHECK(answer.field("Connection") == "");
    CHECK(answer.field("Date").ends_with(" GMT"));
    CHECK(answer.body == target);
  }
  client.wire.finish_sending();
  CHECK(test::take(std::move(client.ended)));
  CHECK(client.wire.hear_rest().end == RawClient::End::orderly);
  CHECK(served.size() == 0);
  CHECK(handler.requests().size() == 3);
}

TEST_CASE("a thousand requests said at once are answered in their order") {
  test::ScriptedHandler handler;
  test::Served served(handler);
  auto client = served.connect();
  std::string all;
  for (int i = 0; i < 1000; ++i) all += get("/" + std::to_string(i));
  std::thread speaker([&] { client.wire.say(all); });
  for (int i = 0; i < 1000; ++i) {
    REQUIRE(client.wire.hear_answer().body == "/" + std::to_string(i));
  }
  speaker.join();
}

TEST_CASE("a request may come byte by byte, and the next one in the same piece as its end") {
  test::ScriptedHandler handler;
  test::Served served(handler);
  auto client = served.connect();
  for (const char byte : get("/slow")) client.wire.say(std::string(1, byte));
  CHECK(client.wire.hear_answer().body == "/slow");
  const auto both = get("/a") + get("/b");
  client.wire.say(both.substr(0, 5));
  client.wire.say(both.substr(5));
  CHECK(client.wire.hear_answer().body == "/a");
  CHECK(client.wire.hear_answer().body == "/b");
}

TEST_CASE("HEAD has everything but the body") {
  test::ScriptedHandler handler;
  test::Served served(handler);
  auto client = served.connect();
  client.wire.say("HEAD /four HTTP/1.1\r\nHost: a\r\n\r\n" + get("/next"));
  const auto answer = client.wire.hear_answer(true);
  CHECK(answer.field("Content-Length") == "5");
  CHECK(answer.field("Content-Type") == "text/plain");
  CHECK(client.wire.hear_answer().body == "/next");
}

TEST_CASE("a connection ends when either side wants it to, and says so") {
  struct Row {
    const char* why;
    std::string request;
    bool answer_closes;
    const char* says;
    bool ends;
  };
  const std::vector<Row> rows{
      {"nobody", get("/"), false, "", false},
      {"the client", get("/", "Connection: close\r\n"), false, "close", true},
      {"the answer", get("/"), true, "close", true},
      {"HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", false, "close", true},
      {"HTTP/1.0 that wants to stay", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", false,
       "keep-alive", false},
      {"HTTP/1.0 that wants to stay and may not",
       "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true, "close", true},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    test::ScriptedHandler handler;
    handler.script = [&](const Request&) {
      auto response = test::text_answer(200, "x");
      response.close = row.answer_closes;
      return response;
    };
    test::Served served(handler);
    auto client = served.connect();
    client.wire.say(row.request);
    const auto answer = client.wire.hear_answer();
    CHECK(answer.whole);
    CHECK(answer.field("Connection") == row.says);
    if (row.ends) {
      const auto rest = client.wire.hear_rest();
      CHECK(rest.bytes == "");
      CHECK(rest.end == RawClient::End::orderly);
    } else {
      client.wire.say(get("/again"));
      CHECK(client.wire.hear_answer().whole);
    }
  }
}

TEST_CASE("a client that is too slow is closed without an answer") {
  struct Row {
    const char* why;
    std::string says;
    ConnectionBounds bounds;
  };
  const ConnectionBounds patient{10min, 10min, 10min};
  auto short_request = patient;
  short_request.request = 1ms;
  auto short_idle = patient;
  short_idle.idle = 1ms;
  for (const auto& row : std::vector<Row>{
           {"half a header block", "GET / HTTP/1.1\r\nHost:", short_request},
           {"one byte", "G", short_request},
           {"nothing at all", "", short_idle},
       }) {
    CAPTURE(row.why);
    test::ScriptedHandler handler;
    test::Served served(handler);
    served.bounds = row.bounds;
    auto client = served.connect();
    client.wire.say(row.says);
    const auto rest = client.wire.hear_rest();
    CHECK(rest.bytes == "");
    CHECK(rest.end == RawClient::End::orderly);
    CHECK(handler.requests().empty());
  }
}

TEST_CASE("the bound for a header block does not begin anew with each byte") {
  test::ScriptedHandler handler;
  test::Served served(handler);
  served.bounds.request = 300ms;
  auto client = served.connect();
  // As slowly as the socket takes it: the deadline comes whatever is said.
  client.wire.say("GET / HTTP/1.1\r\nHost: a\r\nX: ");
  std::size_t said = 0;
  while (said < 100'000 && client.ended.wait_for(20ms) != std::future_status::ready) {
    client.wire.say("x");
    ++said;
  }
  CHECK(client.ended.wait_for(0s) == std::future_status::ready);
  CHECK(handler.requests().empty());
}

TEST_CASE("a TLS hello on a plaintext port is answered at once with HTTP/1.0 400") {
  test::ScriptedHandler handler;
  test::Served served(handler);
  auto client = served.connect();
  client.wire.say(std::string("\x16\x03\x01\x02", 4));
  const auto rest = client.wire.hear_rest();
  CHECK(rest.bytes.starts_with("HTTP/1.0 400 "));
  CHECK(rest.end == RawClient::End::orderly);
}

TEST_CASE("what cannot be read is refused and the connection ends, with the answer intact") {
  struct Row {
    const char* why;
    std::string says;
    int status;
  };
  const std::string line(1000, 'x');
  std::string long_block = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (int i = 0; i < 33; ++i) long_block += "X: " + line + "\r\n";
  const std::vector<Row> rows{
      {"no HTTP at all", "hello\r\n\r\n", 400},
      {"a bare LF, before anything else comes", "GET / HTTP/1.1\n", 400},
      {"a header block that is too long", long_block + "\r\n", 431},
      {"a header block that does not end", "GET / HTTP/1.1\r\nX: " + std::string(40'000, 'x'), 431},
      {"a target that is too long", get("/" + std::string(5000, 'a')), 414},
      {"a body, all of which has come",
       "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n" + std::string(100'000, 'b'),
       400},
      {"a chunked body",
       "HEAD / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
       400},
      {"another request behind it", "GET * HTTP/1.1\r\nHost: a\r\n\r\n" + get("/secret"), 400},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    test::ScriptedHandler handler;
    test::Served served(handler);
    auto client = served.connect();
    client.wire.say(row.says);
    const auto answer = client.wire.hear_answer();
    CHECK(answer.status() == row.status);
    CHECK(answer.whole);
    CHECK(answer.field("Connection") == "close");
    CHECK(client.wire.hear_rest().bytes == "");
    CHECK(handler.requests().empty());
  }
}

TEST_CASE("a method that is only answered ends the connection, and its body is no request") {
  for (const auto& body : {std::string(100'000, 'b'), get("/smuggled")}) {
    test::ScriptedHandler handler;
    handler.script = [](const Request&) { return test::text_answer(405, "no"); };
    test::Served served(handler);
    auto client = served.connect();
    client.wire.say("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) +
                    "\r\n\r\n" + body);
    const auto answer = client.wire.hear_answer();
    CHECK(answer.status() == 405);
    CHECK(answer.field("Connection") == "close");
    CHECK(answer.body == "no");
    const auto rest = client.wire.hear_rest();
    CHECK(rest.bytes == "");
    CHECK(rest.end == RawClient::End::orderly);
    CHECK(handler.requests().size() == 1);
  }
}

TEST_CASE("an answer tells once how it went") {
  struct Row {
    const char* why;
    const char* method;
    bool leaves;
    bool complete;
    std::uint64_t bytes;
  };
  for (const auto& row : std::vector<Row>{{"GET", "GET", false, true, 3},
                                          {"HEAD", "HEAD", false, true, 0},
                                          {"a client that is gone", "GET", true, false, 0}}) {
    CAPTURE(row.why);
    std::promise<Sent> told;
    int times = 0;
    test::ScriptedHandler handler;
    handler.script = [&](const Request&) {
      auto response = test::text_answer(200, "abc");
      response.on_sent = [&](const Sent& sent) {
        if (++times == 1) told.set_value(sent);
      };
      return response;
    };
    handler.hold();
    test::Served served(handler);
    auto client = served.connect();
    client.wire.say(std::string(row.method) + " / HTTP/1.1\r\nHost: a\r\n\r\n");
    handler.wait_held();
    if (row.leaves) client.wire.reset();
    handler.release();
    const auto sent = test::take(told.get_future());
    CHECK(sent.complete == row.complete);
    CHECK(sent.body_bytes == row.bytes);
    if (!row.leaves) client.wire.finish_sending();
    CHECK(test::take(std::move(client.ended)));
    CHECK(times == 1);
  }
}

TEST_CASE("a handler that throws ends its own connection and no other") {
  test::ScriptedHandler handler;
  handler.script = [](const Request& request) {
    if (request.target == "/bad") throw std::bad_alloc();
    return test::text_answer(200, "good");
  };
  test::Served served(handler);
  auto good = served.connect();
  auto bad = served.connect();
  bad.wire.say(get("/bad"));
  CHECK(bad.wire.hear_rest().bytes == "");
  CHECK(!test::take(std::move(bad.ended)));
  good.wire.say(get("/"));
  CHECK(good.wire.hear_answer().body == "good");
  CHECK(served.size() == 1);
}

TEST_CASE("the same conversation goes over TLS, and a refusal arrives before the end") {
  const test::TestCertificate certificate({});
  const auto context = TlsContext::server(certificate.certificate_file(), certificate.key_file());
  REQUIRE(context);
  const auto trusting = TlsContext::client(certificate.certificate_file());
  REQUIRE(trusting);
  test::ScriptedHandler handler;
  test::Served served(handler);
  served.tls = *context;
  auto client = served.connect();
  REQUIRE(client.wire.start_tls((*trusting)->native(), "localhost"));
  client.wire.say(get("/a") + get("/b"));
  CHECK(client.wire.hear_answer().body == "/a");
  CHECK(client.wire.hear_answer().body == "/b");
  const auto peer = handler.requests().front()->peer;
  CHECK(peer->tls);
  CHECK(peer->server_name == "localhost");

  client.wire.say("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n" +
                  std::string(100'000, 'b'));
  const auto answer = client.wire.hear_answer();
  CHECK(answer.status() == 400);
  CHECK(answer.whole);
  CHECK(client.wire.hear_rest().end == RawClient::End::orderly);
  // Below TLS, too: with RST an answer that was still on its way would be lost.
  client.wire.finish_sending();
  CHECK(test::take(std::move(client.ended)));
  CHECK(client.wire.error() == 0);
}

}  // namespace
}  // namespace archway::proxy
