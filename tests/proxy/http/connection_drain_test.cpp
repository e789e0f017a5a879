// How connections end when the server does.

#include "proxy/http/connection.hpp"
#include "tests/support/fakes.hpp"
#include "tests/support/served.hpp"

#include <doctest/doctest.h>
#include <string>

namespace archway::proxy {
namespace {

using test::RawClient;

std::string get(const std::string& target) {
  return "GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n";
}

TEST_CASE("a drain closes who is idle, lets the busy one finish, and takes nothing more") {
  test::ScriptedHandler handler;
  test::Served served(handler);
  auto idle = served.connect();
  idle.wire.say(get("/first"));
  CHECK(idle.wire.hear_answer().whole);
  handler.hold();
  auto busy = served.connect();
  busy.wire.say(get("/busy") + get("/never"));
  handler.wait_held();

  served.drain();
  CHECK(idle.wire.hear_rest().end == RawClient::End::orderly);
  CHECK(test::take(std::move(idle.ended)));
  CHECK(served.size() == 1);
  handler.release();
  const auto answer = busy.wire.hear_answer();
  CHECK(answer.body == "/busy");
  CHECK(answer.field("Connection") == "close");
  CHECK(busy.wire.hear_rest().bytes == "");
  busy.wire.finish_sending();
  CHECK(test::take(std::move(busy.ended)));
  CHECK(handler.requests().size() == 2);

  auto late = served.connect();
  CHECK(late.wire.hear_rest().bytes == "");
}

TEST_CASE("a drain during a transfer ends the connection behind it, although it said keep-alive") {
  const auto fill = std::make_shared<test::DrivenFill>(6);
  test::ScriptedHandler handler;
  handler.script = [&](const Request&) {
    return Response{.body = GrowingBody{.fill = fill, .length = 6}};
  };
  test::Served served(handler);
  auto client = served.connect();
  client.wire.say(get("/"));
  CHECK(client.wire.hear_head().find("Connection") == std::string::npos);
  served.drain();
  fill->release("abcdef");
  fill->verify();
  CHECK(client.wire.hear(6) == "abcdef");
  const auto rest = client.wire.hear_rest();
  CHECK(rest.bytes == "");
  CHECK(rest.end == RawClient::End::orderly);
}

TEST_CASE("abort resets every connection") {
  test::ScriptedHandler handler;
  test::Served served(handler);
  auto client = served.connect();
  client.wire.say(get("/"));
  CHECK(client.wire.hear_answer().whole);
  served.abort();
  CHECK(client.wire.hear_rest().end == RawClient::End::reset);
  CHECK(test::take(std::move(client.ended)));
}

}  // namespace
}  // namespace archway::proxy
