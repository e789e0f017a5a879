// Blobs on their way: one fetch for everybody, bytes as they come, never a whole lie.

#include "tests/integration/gateway.hpp"
#include "tests/integration/images.hpp"

#include <doctest/doctest.h>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace archway::test {
namespace {

constexpr const char* repository = "library/hi";
constexpr std::size_t withheld = 64 * 1024;

std::string path_of(const std::string& bytes) {
  return blob_path(repository, digest_of(bytes));
}

TEST_CASE("fifty clients of one cold blob cost one fetch, and all get the right bytes") {
  constexpr std::size_t clients = 50;
  const auto blob = noise(2'000'000);
  ScriptedUpstream upstream;
  const auto gate = upstream.gate();
  upstream.on(path_of(blob)).answer(200).body(blob).hold_at(1'000'000, gate);
  Gateway gateway(upstream);
  gateway.start();
  std::vector<Answer> answers(clients);
  std::vector<std::thread> threads;
  for (auto& answer : answers) {
    threads.emplace_back([&] { answer = gateway.get(path_of(blob)); });
  }
  CHECK(gate->wait_reached());
  CHECK(gateway.wait_metric("archway_fills_joined_total", clients - 1));
  gate->open();
  for (auto& thread : threads) thread.join();
  for (const auto& answer : answers) {
    CHECK(answer.status == 200);
    CHECK(answer.complete);
    CHECK(answer.body == blob);
  }
  CHECK(upstream.count("GET", path_of(blob)) == 1);
  const auto again = gateway.get(path_of(blob));
  CHECK(again.header("Archway-Cache") == "hit");
  CHECK(again.body == blob);
  CHECK(upstream.count("GET", path_of(blob)) == 1);
}

TEST_CASE("headers and bytes are passed on as they come, up to the withheld end") {
  const auto blob = noise(withheld + 1000);
  ScriptedUpstream upstream;
  const auto before = upstream.gate();
  const auto drip = upstream.gate();
  upstream.on(path_of(blob)).answer(200).body(blob).hold_at(0, before).drip(drip);
  Gateway gateway(upstream);
  gateway.start();
  HttpClient client(gateway.port());
  client.send("GET", path_of(blob));
  CHECK(before->wait_reached());
  auto answer = client.read_head();  // Not one byte of the body has come yet.
  CHECK(answer.status == 200);
  CHECK(answer.header("Content-Length") == std::to_string(blob.size()));
  CHECK(answer.header("Archway-Cache") == "miss");
  before->open();
  for (std::size_t bytes = 1; bytes <= 20; ++bytes) {
    drip->release();
    CHECK(client.read_body(answer, bytes) == blob.substr(0, bytes));
  }
  drip->open();
  client.read_rest(answer);
  CHECK(answer.complete);
  CHECK(answer.body == blob);
}

TEST_CASE("the first client going away changes nothing for the others") {
  const auto blob = noise(500'000);
  ScriptedUpstream upstream;
  const auto gate = upstream.gate();
  upstream.on(path_of(blob)).answer(200).body(blob).hold_at(300'000, gate);
  Gateway gateway(upstream);
  gateway.start();
  HttpClient first(gateway.port());
  first.send("GET", path_of(blob));
  auto first_answer = first.read_head();
  CHECK(first_answer.status == 200);
  HttpClient second(gateway.port());
  second.send("GET", path_of(blob));
  auto second_answer = second.read_head();
  CHECK(second_answer.header("Archway-Cache") == "joined");
  first.abort();
  gate->open();
  second.read_rest(second_answer);
  CHECK(second_answer.complete);
  CHECK(second_answer.body == blob);
  CHECK(upstream.count("GET", path_of(blob)) == 1);
}

TEST_CASE(
    "an upstream that cuts a transfer is asked for the rest, and the client sees only a pause") {
  const auto blob = noise(1'000'000);
  struct Row {
    std::string why;
    std::function<void(ScriptedUpstream&)> script;
  };
  const std::vector<Row> rows{
      {"it continues by Range",
       [&](auto& upstream) {
         upstream.on(path_of(blob)).answer(200).body(blob).cut_after(500'000);
         upstream.on(path_of(blob)).answer(200).body(blob).ranges();
       }},
      {"it was reset, twice",
       [&](auto& upstream) {
         upstream.on(path_of(blob)).answer(200).body(blob).reset_after(100'000);
         upstream.on(path_of(blob)).answer(200).body(blob).ranges().reset_after(700'000);
         upstream.on(path_of(blob)).answer(200).body(blob).ranges();
       }},
      {"it knows no ranges and begins again",
       [&](auto& upstream) {
         upstream.on(path_of(blob)).answer(200).body(blob).cut_after(500'000);
         upstream.on(path_of(blob)).answer(200).body(blob);
       }},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    ScriptedUpstream upstream;
    row.script(upstream);
    Gateway gateway(upstream);
    gateway.start();
    const auto got = gateway.get(path_of(blob));
    CHECK(got.complete);
    CHECK(got.body == blob);
    CHECK(gateway.wait_metric("archway_fills_total{outcome=\"published\"}", 1));
    CHECK(gateway.blobs_on_disk() == 1);
  }
}

TEST_CASE(
    "whatever an upstream gets wrong, no client sees a whole wrong blob and nothing is kept") {
  const auto blob = noise(300'000);
  struct Row {
    std::string why;
    std::function<void(ScriptedAnswer&)> script;
  };
  const std::vector<Row> rows{
      {"a wrong byte first", [](auto& answer) { answer.wrong_byte(0); }},
      {"a wrong byte in the middle", [](auto& answer) { answer.wrong_byte(150'000); }},
      {"a wrong byte last", [](auto& answer) { answer.wrong_byte(299'999); }},
      {"a wrong byte, in chunks", [](auto& answer) { answer.chunked(10'000).wrong_byte(5); }},
      {"a length that is too short", [](auto& answer) { answer.length(200'000); }},
      {"a length that is too long", [](auto& answer) { answer.length(400'000).close_silently(); }},
      {"no length, and half", [](auto& answer) { answer.no_length().cut_after(150'000); }},
      {"no length, and too much", [&](auto& answer) { answer.body(blob + "x").no_length(); }},
      {"an early end of the chunks",
       [&](auto& answer) { answer.body(blob.substr(0, 99)).chunked(10); }},
      {"chunks that are cut", [](auto& answer) { answer.chunked(10'000).cut_after(150'000); }},
      {"nothing at all", [](auto& answer) { answer.body(""); }},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    ScriptedUpstream upstream;
    row.script(upstream.on(path_of(blob)).answer(200).body(blob));
    Gateway gateway(upstream);
    gateway.start();
    const auto got = gateway.get(path_of(blob));
    const bool whole_wrong = got.status == 200 && got.complete && got.body != blob;
    CHECK_FALSE(whole_wrong);
    CHECK_FALSE((got.status == 200 && got.complete));
    CHECK(gateway.wait_metric("archway_fills_in_progress", 0));
    CHECK(gateway.blobs_on_disk() == 0);
    CHECK(gateway.log_text().find(digest_of(blob)) != std::string::npos);
  }
}

TEST_CASE("a wrong digest is counted, and whoever asks within a minute is told at once") {
  const auto blob = noise(100'000);
  ScriptedUpstream upstream;
  upstream.on(path_of(blob)).answer(200).body(blob).wrong_byte(7);
  upstream.on(path_of(blob)).answer(200).body(blob);
  Gateway gateway(upstream);
  gateway.start();
  const auto wrong = gateway.get(path_of(blob));  // Cut, or 502 when the headers had not left yet.
  CHECK_FALSE((wrong.status == 200 && wrong.complete));
  CHECK(gateway.wait_metric("archway_digest_mismatches_total{upstream=\"docker.io\"}", 1));
  CHECK(gateway.wait_metric("archway_fills_in_progress", 0));
  const auto told = gateway.get(path_of(blob));
  CHECK(told.status == 502);
  CHECK(told.body.find("docker.io sent other bytes than those of " + digest_of(blob)) !=
        std::string::npos);
  CHECK(upstream.count("GET", path_of(blob)) == 1);
}

TEST_CASE("ranges are answered from a fill and from a file alike") {
  const auto blob = noise(400'000);
  ScriptedUpstream upstream;
  const auto gate = upstream.gate();
  upstream.on(path_of(blob)).answer(200).body(blob).hold_at(200'000, gate);
  Gateway gateway(upstream);
  gateway.start();
  HttpClient whole(gateway.port());
  whole.send("GET", path_of(blob));
  auto whole_answer = whole.read_head();
  const auto part = gateway.get(path_of(blob), {{"Range", "bytes=1000-1999"}});
  CHECK(part.status == 206);
  CHECK(part.header("Content-Range") == "bytes 1000-1999/400000");
  CHECK(part.body == blob.substr(1000, 1000));
  gate->open();
  whole.read_rest(whole_answer);
  CHECK(whole_answer.body == blob);
  CHECK(gateway.wait_metric("archway_cache_objects{kind=\"blob\"}", 1));
  const auto tail = gateway.get(path_of(blob), {{"Range", "bytes=-5"}});
  CHECK(tail.status == 206);
  CHECK(tail.body == blob.substr(399'995));
  const auto beyond = gateway.get(path_of(blob), {{"Range", "bytes=400000-"}});
  CHECK(beyond.status == 416);
  CHECK(beyond.header("Content-Range") == "bytes */400000");
  const auto etag = "\"" + digest_of(blob) + "\"";
  CHECK(gateway.get(path_of(blob), {{"Range", "bytes=0-1"}, {"If-Range", etag}}).status == 206);
  CHECK(gateway.get(path_of(blob), {{"Range", "bytes=0-1"}, {"If-Range", "\"x\""}}).status == 200);
  CHECK(upstream.count("GET", path_of(blob)) == 1);
}

TEST_CASE("a blob of unknown length reaches its client in chunks") {
  const auto blob = noise(200'000);
  ScriptedUpstream upstream;
  upstream.on(path_of(blob)).answer(200).body(blob).chunked(7777);
  Gateway gateway(upstream);
  gateway.start();
  const auto got = gateway.get(path_of(blob));
  CHECK(got.header("Transfer-Encoding") == "chunked");
  CHECK(got.complete);
  CHECK(got.body == blob);
}

TEST_CASE("HEAD of a blob tells its size and fetches nothing") {
  const auto blob = noise(5000);
  ScriptedUpstream upstream;
  upstream.on(path_of(blob)).answer(200).body(blob);
  Gateway gateway(upstream);
  gateway.start();
  const auto cold = gateway.head(path_of(blob));
  CHECK(cold.status == 200);
  CHECK(cold.header("Content-Length") == "5000");
  CHECK(cold.header("Docker-Content-Digest") == digest_of(blob));
  CHECK(upstream.count("GET", path_of(blob)) == 0);
  CHECK(gateway.get(path_of(blob)).body == blob);
  CHECK(gateway.wait_metric("archway_cache_objects{kind=\"blob\"}", 1));
  const auto warm = gateway.head(path_of(blob));
  CHECK(warm.header("Archway-Cache") == "hit");
  CHECK(warm.header("Content-Length") == "5000");
  CHECK(warm.header("Content-Type") == cold.header("Content-Type"));
}

}  // namespace
}  // namespace archway::test
