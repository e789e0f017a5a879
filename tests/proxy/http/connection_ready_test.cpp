#include "proxy/http/connection.hpp"
#include "tests/support/scripted_wire.hpp"
#include "tests/support/served.hpp"

#include <doctest/doctest.h>
#include <string>
#include <vector>

namespace archway::proxy {
namespace {

/// What was told of each use.
struct Told {
  std::vector<std::string> ids;
  std::vector<Sent> sent;
  std::promise<void> lost;
};

class CountingReuse final : public Reuse {
 public:
  explicit CountingReuse(Told* told) : told_(told) {}
  bool still_right() const override { return true; }
  std::string next_id() const override { return "again-" + std::to_string(told_->ids.size()); }
  void used(const Use& use, const Sent& sent) const override {
    told_->ids.push_back(use.id);
    told_->sent.push_back(sent);
    if (!sent.complete) told_->lost.set_value();
  }

 private:
  Told* told_;
};

class ReadyHandler final : public test::ScriptedHandler {
 public:
  ReadyHandler() {
    script = [this](const Request& request) {
      auto response = test::text_answer(200, text.empty() ? request.target : text);
      response.fields.add("X-Request-Id", "first");
      response.reuse = std::make_shared<CountingReuse>(&told);
      return response;
    };
  }
  ReadyAnswers* ready_answers() override { return &ready_; }

  std::string text;
  Told told;

 private:
  ReadyAnswers ready_{false};
};

const std::string get = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";

TEST_CASE("the same request is answered by what was made before, and each use is told") {
  ReadyHandler handler;
  test::Served served(handler);
  auto client = served.connect();
  for (const std::string id : {"first", "again-0", "again-1"}) {
    client.wire.say(get);
    const auto answer = client.wire.hear_answer();
    CHECK(answer.status() == 200);
    CHECK(answer.field("X-Request-Id") == id);
    CHECK(answer.field("Date").ends_with(" GMT"));
    CHECK(answer.body == "/a");
  }
  client.wire.say("GET /b HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(client.wire.hear_answer().body == "/b");
  client.wire.say("HEAD /a HTTP/1.1\r\nHost: a\r\n\r\n" + get);
  CHECK(client.wire.hear_answer(true).field("Content-Length") == "2");
  CHECK(client.wire.hear_answer().body == "/a");
  client.wire.finish_sending();
  CHECK(test::take(std::move(client.ended)));
  CHECK(handler.requests().size() == 3);
  CHECK(handler.told.ids == std::vector<std::string>{"again-0", "again-1", "again-2"});
  for (const auto& sent : handler.told.sent) CHECK((sent.complete && sent.body_bytes == 2));
}

TEST_CASE("a client that takes its answer slowly gets all of one that was made before") {
  ReadyHandler handler;
  handler.text = std::string(50'000, 'x');
  test::Served served(handler);
  auto client = served.connect(true);
  std::string many;
  for (int i = 0; i < 20; ++i) many += get;
  client.wire.say(many);
  for (int i = 0; i < 20; ++i) REQUIRE(client.wire.hear_answer().body == handler.text);
  CHECK(handler.requests().size() == 1);
}

TEST_CASE("one that was made before and did not get through is told as such, and is reset") {
  ReadyHandler handler;
  handler.text = std::string(50'000, 'x');
  test::Served served(handler);
  auto client = served.connect(true);
  std::string many;
  for (int i = 0; i < 200; ++i) many += get;
  client.wire.say(many);
  REQUIRE(client.wire.hear_answer().whole);
  client.wire.reset();
  CHECK(test::take(std::move(client.ended)));
  handler.told.lost.get_future().wait();
  CHECK_FALSE(handler.told.sent.back().complete);
  CHECK(handler.told.sent.back().body_bytes == 0);
}

TEST_CASE("an answer that was made before ends its connection where the client wants no other") {
  ReadyHandler handler;
  test::Served served(handler);
  for (const std::string id : {"first", "again-0", "again-1"}) {
    auto client = served.connect();
    client.wire.say("GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    const auto answer = client.wire.hear_answer();
    CHECK(answer.field("X-Request-Id") == id);
    CHECK(answer.field("Connection") == "close");
    CHECK(answer.body == "/a");
    CHECK(client.wire.hear_rest().end == test::RawClient::End::orderly);
    CHECK(test::take(std::move(client.ended)));
  }
  CHECK(handler.requests().size() == 1);
}

TEST_CASE("a connection that is to end says so instead of giving an answer that was made before") {
  ReadyHandler handler;
  test::Served served(handler);
  auto client = served.connect();
  client.wire.say(get);
  CHECK(client.wire.hear_answer().field("Connection") == "");
  handler.hold();
  client.wire.say("GET /b HTTP/1.1\r\nHost: a\r\n\r\n" + get);
  handler.wait_held();
  served.drain();
  handler.release();
  CHECK(client.wire.hear_answer().field("Connection") == "close");
  CHECK(client.wire.hear_rest().bytes.empty());
}

}  // namespace
}  // namespace archway::proxy
