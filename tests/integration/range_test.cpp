// Parts of blobs that are not here yet: answered at once, from what comes or from where it comes
// from.

#include "tests/integration/gateway.hpp"
#include "tests/integration/images.hpp"

#include <algorithm>
#include <cstdint>
#include <doctest/doctest.h>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace archway::test {
namespace {

constexpr std::size_t mebibyte = 1024 * 1024;
constexpr std::size_t reach = 4 * mebibyte;
constexpr std::size_t withheld = 64 * 1024;

std::string path_of(const std::string& bytes) {
  return blob_path("library/hi", digest_of(bytes));
}

/// `bytes=a-b`
Headers range(std::size_t first, std::size_t last) {
  return {{"Range", "bytes=" + std::to_string(first) + "-" + std::to_string(last)}};
}

TEST_CASE("a part of a cold blob does not wait for what lies before it") {
  const auto blob = noise(12 * mebibyte);
  const auto total = "/" + std::to_string(blob.size());
  const auto etag = "\"" + digest_of(blob) + "\"";
  ScriptedUpstream upstream;
  const auto gate = upstream.gate();
  upstream.on(path_of(blob)).answer(200).body(blob).hold_at(0, gate);
  upstream.on(path_of(blob)).answer(200).body(blob).ranges();
  Gateway gateway(upstream);
  gateway.start();
  const auto far = gateway.get(path_of(blob), range(10 * mebibyte, 10 * mebibyte + 999));
  CHECK(far.status == 206);
  CHECK(far.complete);
  CHECK(far.header("Content-Range") == "bytes 10485760-10486759" + total);
  CHECK(far.header("Content-Length") == "1000");
  CHECK(far.header("Docker-Content-Digest") == digest_of(blob));
  CHECK((far.body == blob.substr(10 * mebibyte, 1000)));
  CHECK(upstream.requests().back().header("Range") == "bytes=10485760-10486759");
  const auto tail = gateway.get(path_of(blob), {{"Range", "bytes=-5"}});
  CHECK(tail.status == 206);
  CHECK((tail.body == blob.substr(blob.size() - 5)));
  const auto crossing = gateway.get(path_of(blob), range(blob.size() - 7, blob.size() + 100));
  CHECK(crossing.status == 206);
  CHECK((crossing.body == blob.substr(blob.size() - 7)));
  const auto asked = upstream.count("GET", path_of(blob));
  const auto beyond = gateway.get(path_of(blob), range(blob.size(), blob.size()));
  CHECK(beyond.status == 416);
  CHECK(beyond.header("Content-Range") == "bytes */" + std::to_string(blob.size()));
  const auto head = gateway.head(path_of(blob), range(10 * mebibyte, 10 * mebibyte + 999));
  CHECK(head.status == far.status);
  CHECK(head.header("Content-Range") == far.header("Content-Range"));
  CHECK(head.header("Content-Length") == far.header("Content-Length"));
  const auto permitted = gateway.get(path_of(blob), {{"Range", "bytes=-5"}, {"If-Range", etag}});
  CHECK(permitted.status == 206);
  CHECK(upstream.count("GET", path_of(blob)) == asked + 1);
  for (const auto& [name, value] : Headers{{"If-Range", "\"x\""}, {"Range", "bytes=0-1,8-9"}}) {
    HttpClient whole(gateway.port());
    Headers headers{{name, value}};
    if (name == "If-Range") headers.emplace_back("Range", "bytes=-5");
    whole.send("GET", path_of(blob), headers);
    CHECK(whole.read_head().status == 200);
  }
  gate->open();
  CHECK(gateway.wait_metric("archway_fills_total{outcome=\"published\"}", 1));
  CHECK(gateway.get(path_of(blob), range(10 * mebibyte, 10 * mebibyte + 999)).body == far.body);
  CHECK(upstream.count("GET", path_of(blob)) == asked + 1);
}

TEST_CASE("a part within reach of the fill is not asked for twice") {
  const auto blob = noise(12 * mebibyte);
  ScriptedUpstream upstream;
  const auto gate = upstream.gate();
  upstream.on(path_of(blob)).answer(200).body(blob).hold_at(mebibyte, gate);
  Gateway gateway(upstream);
  gateway.start();
  const auto here = gateway.get(path_of(blob), range(1000, 1999));
  CHECK((here.body == blob.substr(1000, 1000)));
  CHECK(gate->wait_reached());
  HttpClient near(gateway.port());
  near.send("GET", path_of(blob), range(3 * mebibyte, 3 * mebibyte + 9));
  auto answer = near.read_head();
  CHECK(answer.status == 206);
  gate->open();
  near.read_rest(answer);
  CHECK((answer.body == blob.substr(3 * mebibyte, 10)));
  CHECK(upstream.count("GET", path_of(blob)) == 1);
}

TEST_CASE("a part that would wait in line behind its own blob comes with the blob") {
  const auto blob = noise(12 * mebibyte);
  ScriptedUpstream upstream;
  const auto gate = upstream.gate();
  upstream.on(path_of(blob)).answer(200).body(blob).hold_at(0, gate);
  upstream.on(path_of(blob)).answer(200).body(blob).ranges();
  Gateway gateway(upstream);
  gateway.settings.upstreams.front().requests = 2;  // One transfer, and a question beside it.
  gateway.start();
  HttpClient client(gateway.port());
  client.send("GET", path_of(blob), range(8 * mebibyte, 8 * mebibyte + 9));
  auto answer = client.read_head();
  CHECK(answer.status == 206);
  CHECK(upstream.count("GET", path_of(blob)) == 1);
  gate->open();
  client.read_rest(answer);
  CHECK((answer.body == blob.substr(8 * mebibyte, 10)));
  CHECK(upstream.count("GET", path_of(blob)) == 1);
}

TEST_CASE("an upstream that gives no parts, or fails to, makes the client wait for the fill") {
  const auto blob = noise(12 * mebibyte);
  for (const unsigned status : {200U, 503U, 404U, 416U}) {
    CAPTURE(status);
    ScriptedUpstream upstream;
    const auto gate = upstream.gate();
    upstream.on(path_of(blob)).answer(200).body(blob).hold_at(0, gate);
    upstream.on(path_of(blob)).answer(status).body(status == 200 ? blob : "");
    Gateway gateway(upstream);
    gateway.start();
    HttpClient client(gateway.port());
    client.send("GET", path_of(blob), range(8 * mebibyte, 8 * mebibyte + 9));
    auto answer = client.read_head();
    CHECK(answer.status == 206);
    CHECK(upstream.count("GET", path_of(blob)) == 2);
    gate->open();
    client.read_rest(answer);
    CHECK((answer.body == blob.substr(8 * mebibyte, 10)));
  }
}

TEST_CASE("a part that is cut goes on where it stopped; one that never ends well is reset") {
  const auto blob = noise(12 * mebibyte);
  for (const bool heals : {true, false}) {
    CAPTURE(heals);
    ScriptedUpstream upstream;
    const auto gate = upstream.gate();
    upstream.on(path_of(blob)).answer(200).body(blob).hold_at(0, gate);
    upstream.on(path_of(blob)).answer(200).body(blob).ranges().cut_after(100'000);
    if (heals) upstream.on(path_of(blob)).answer(200).body(blob).ranges();
    if (!heals) upstream.on(path_of(blob)).answer(200).body(blob).ranges().cut_after(0);
    Gateway gateway(upstream);
    gateway.start();
    const auto got = gateway.get(path_of(blob), range(8 * mebibyte, 9 * mebibyte));
    CHECK(got.status == 206);
    CHECK(got.complete == heals);
    if (heals) CHECK((got.body == blob.substr(8 * mebibyte, mebibyte + 1)));
  }
}

/// One random question about a blob: inside, across what has come, suffix, beyond.
struct Question {
  std::string text;
  std::size_t first = 0;
  std::size_t last = 0;  ///< of what is there
  int status = 206;
};

Question ask(std::mt19937& random, std::size_t size, std::size_t come) {
  const auto upto = [&](std::size_t most) { return random() % (most + 1); };
  Question question;
  const auto kind = random() % 6;
  if (kind == 0) {  // Beyond.
    question.first = size + upto(1000);
    question.text = std::to_string(question.first) + "-";
    question.status = 416;
    return question;
  }
  if (kind == 1) {  // Suffix.
    const auto count = 1 + upto(200'000);
    question = {.text = "-" + std::to_string(count), .first = size - count, .last = size - 1};
    return question;
  }
  if (kind == 2) {  // Across what has come.
    question.first = come - upto(std::min<std::size_t>(come, 100'000));
    question.last = come + upto(100'000);
  } else {
    question.first = upto(size - 1);
    question.last = question.first + upto(100'000);
  }
  question.first = std::min(question.first, size - 1);
  question.text = std::to_string(question.first) + "-" + std::to_string(question.last);
  question.last = std::min(question.last, size - 1);
  return question;
}

TEST_CASE(
    "200 random ranges of a blob while it comes: each right, none waits for bytes behind it") {
  constexpr std::size_t steps = 10;
  constexpr std::size_t questions_a_step = 20;
  const auto blob = noise(16 * mebibyte);
  const auto step = blob.size() / steps;
  ScriptedUpstream upstream;
  const auto gate = upstream.gate();
  auto& fill = upstream.on(path_of(blob)).answer(200).body(blob);
  for (std::size_t i = 0; i < steps; ++i) fill.hold_at(i * step, gate);
  upstream.on(path_of(blob)).answer(200).body(blob).ranges();
  Gateway gateway(upstream);
  gateway.start();
  HttpClient first(gateway.port());
  first.send("GET", path_of(blob));
  CHECK(first.read_head().status == 200);
  std::mt19937 random(4);
  struct Waiting {
    Question question;
    std::unique_ptr<HttpClient> client;
  };
  std::vector<Waiting> waiting;
  const auto check = [&](const Question& question, const Answer& answer) {
    CAPTURE(question.text);
    CHECK(answer.status == question.status);
    CHECK(answer.complete);
    if (question.status != 206) return;
    const auto length = question.last - question.first + 1;
    CHECK((answer.body == blob.substr(question.first, length)));
  };
  std::size_t at_once = 0;
  for (std::size_t i = 0; i < steps; ++i) {
    REQUIRE(gate->wait_reached(i + 1));
    const auto come = i * step;
    for (std::size_t n = 0; n < questions_a_step; ++n) {
      const auto question = ask(random, blob.size(), come);
      const Headers headers{{"Range", "bytes=" + question.text}};
      const bool is_here = question.last < std::min(come, blob.size() - withheld);
      const bool is_far = question.first > come + reach;
      if (is_here || is_far || question.status == 416) {
        // The fill is held: an answer that waited for it would never come.
        check(question, gateway.get(path_of(blob), headers));
        ++at_once;
        continue;
      }
      waiting.push_back({question, std::make_unique<HttpClient>(gateway.port())});
      waiting.back().client->send("GET", path_of(blob), headers);
    }
    gate->release();
  }
  for (auto& [question, client] : waiting) {
    auto answer = client->read_head();
    client->read_rest(answer);
    check(question, answer);
  }
  CHECK(at_once > 100);
  CHECK(waiting.size() > 20);
}

TEST_CASE("lazy pulling of a cold blob does not wait for the whole") {
  constexpr std::size_t clients = 16;
  const auto blob = noise(32 * mebibyte);
  ScriptedUpstream upstream;
  const auto gate = upstream.gate();
  upstream.on(path_of(blob)).answer(200).body(blob).hold_at(0, gate);
  upstream.on(path_of(blob)).answer(200).body(blob).ranges();
  Gateway gateway(upstream);
  gateway.start();
  // First the index of the files at the end, then files here and there, all at once.
  const auto index = gateway.get(path_of(blob), {{"Range", "bytes=-47"}});
  CHECK((index.body == blob.substr(blob.size() - 47)));
  std::vector<Answer> answers(clients);
  std::vector<std::thread> threads;
  const auto offset = [](std::size_t i) { return (5 + i) * mebibyte + 17; };
  for (std::size_t i = 0; i < clients; ++i) {
    threads.emplace_back(
        [&, i] { answers[i] = gateway.get(path_of(blob), range(offset(i), offset(i) + 4095)); });
  }
  for (auto& thread : threads) thread.join();
  for (std::size_t i = 0; i < clients; ++i) {
    CHECK(answers[i].status == 206);
    CHECK((answers[i].body == blob.substr(offset(i), 4096)));
  }
  CHECK(gateway.metric("archway_fills_in_progress") == 1);
}

}  // namespace
}  // namespace archway::test
