// A disk that takes nothing more: no client sees an error because of it.

#include "tests/integration/file_size_limit.hpp"
#include "tests/integration/gateway.hpp"
#include "tests/integration/images.hpp"

#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace archway::test {
namespace {

constexpr rlim_t room = 512 * 1024;

std::string path_of(const std::string& bytes) {
  return blob_path("library/hi", digest_of(bytes));
}

/// While it lives no part file can be made: where their directory was, there is a file.
class NoFills {
 public:
  explicit NoFills(const Gateway& gateway) : fills_(gateway.settings.cache.directory / "fills") {
    std::filesystem::remove_all(fills_);
    std::ofstream(fills_).put('x');
  }
  NoFills(const NoFills&) = delete;
  NoFills& operator=(const NoFills&) = delete;
  ~NoFills() { std::filesystem::remove(fills_); }

 private:
  std::filesystem::path fills_;
};

TEST_CASE("a disk without room: the blob comes past it, and is kept when there is room again") {
  const auto blob = noise(2'000'000);
  const auto unknown = noise(1'500'000, 2);
  const auto etag = "\"" + digest_of(blob) + "\"";
  ScriptedUpstream upstream;
  upstream.on(path_of(blob)).answer(200).body(blob).ranges();
  upstream.on(path_of(unknown)).answer(200).body(unknown).chunked(100'000);
  Gateway gateway(upstream);
  gateway.start();
  {
    const NoFills full(gateway);
    for (int times = 0; times < 2; ++times) {
      const auto whole = gateway.get(path_of(blob));
      CHECK(whole.status == 200);
      CHECK(whole.complete);
      CHECK((whole.body == blob));
      CHECK(whole.header("Archway-Cache") == "pass");
      CHECK(whole.header("Docker-Content-Digest") == digest_of(blob));
      CHECK(whole.header("Content-Length") == "2000000");
    }
    CHECK(upstream.count("GET", path_of(blob)) == 2);  // The answer is handed on, not asked twice.
    const auto part = gateway.get(path_of(blob), {{"Range", "bytes=1999000-"}});
    CHECK(part.status == 206);
    CHECK(part.header("Content-Range") == "bytes 1999000-1999999/2000000");
    CHECK((part.body == blob.substr(1'999'000)));
    CHECK(gateway.get(path_of(blob), {{"Range", "bytes=2000000-"}}).status == 416);
    const Headers other{{"Range", "bytes=0-1"}, {"If-Range", "\"x\""}};
    CHECK((gateway.get(path_of(blob), other).body == blob));
    CHECK(gateway.get(path_of(blob), {{"If-None-Match", etag}}).status == 304);
    CHECK(gateway.head(path_of(blob)).header("Content-Length") == "2000000");
    const auto chunked = gateway.get(path_of(unknown));
    CHECK(chunked.complete);
    CHECK((chunked.body == unknown));
    CHECK(gateway.blobs_on_disk() == 0);
    CHECK(gateway.wait_metric("archway_fills_in_progress", 0));
  }
  CHECK((gateway.get(path_of(blob)).body == blob));
  CHECK(gateway.wait_metric("archway_cache_objects{kind=\"blob\"}", 1));
  CHECK(gateway.get(path_of(blob)).header("Archway-Cache") == "hit");
}

TEST_CASE("a disk that fills up in the middle: everybody goes on from where they are") {
  const auto blob = noise(3'000'000);
  for (const bool known : {true, false}) {
    CAPTURE(known);
    ScriptedUpstream upstream;
    const auto gate = upstream.gate();
    auto& first = upstream.on(path_of(blob)).answer(200).body(blob).hold_at(1'000'000, gate);
    if (!known) first.chunked(50'000);
    upstream.on(path_of(blob)).answer(200).body(blob).ranges();
    Gateway gateway(upstream);
    gateway.start();
    struct Row {
      const char* why;
      std::string range;
      std::size_t offset;
      std::size_t length;
      std::size_t reads_before;
    };
    std::vector<Row> rows{{"the first", "", 0, blob.size(), 500'000},
                          {"one that reads nothing yet", "", 0, blob.size(), 0}};
    if (known) {
      rows.push_back({"all but its beginning", "bytes=100000-", 100'000, 2'900'000, 10});
      rows.push_back({"a part across", "bytes=900000-1999999", 900'000, 1'100'000, 0});
      rows.push_back({"a part behind", "bytes=2000000-2000009", 2'000'000, 10, 0});
    }
    std::vector<std::unique_ptr<HttpClient>> clients;
    std::vector<Answer> answers;
    for (const auto& row : rows) {
      auto& client = *clients.emplace_back(std::make_unique<HttpClient>(gateway.port()));
      client.send("GET", path_of(blob),
                  row.range.empty() ? Headers() : Headers{{"Range", row.range}});
      answers.push_back(client.read_head());
      if (known) client.read_body(answers.back(), row.reads_before);
    }
    CHECK(gate->wait_reached());
    const FileSizeLimit limit(room);
    gate->open();
    for (std::size_t i = 0; i < rows.size(); ++i) {
      CAPTURE(rows[i].why);
      clients[i]->read_rest(answers[i]);
      CHECK(answers[i].complete);
      CHECK((answers[i].body == blob.substr(rows[i].offset, rows[i].length)));
    }
    CHECK(gateway.wait_metric("archway_fills_total{outcome=\"storage_failed\"}", 1));
    CHECK(gateway.blobs_on_disk() == 0);
  }
}

TEST_CASE("what goes past the disk is still hashed: no client completes a wrong blob") {
  const auto blob = noise(3'000'000);
  struct Row {
    std::string why;
    bool from_the_beginning;
    std::function<void(ScriptedAnswer&)> script;
  };
  const std::vector<Row> rows{
      {"wrong in the middle", true, [](auto& answer) { answer.wrong_byte(1'500'000); }},
      {"the last byte is wrong", true, [](auto& answer) { answer.wrong_byte(2'999'999); }},
      {"it is another blob", true, [](auto& answer) { answer.body(noise(3'000'000, 2)); }},
      {"its length changes", true, [](auto& answer) { answer.body(noise(2'000'000)); }},
      {"wrong in the rest", false, [](auto& answer) { answer.wrong_byte(10'000); }},
      {"nothing comes", false, [](auto& answer) { answer.vanish(); }},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    ScriptedUpstream upstream;
    const auto gate = upstream.gate();
    if (!row.from_the_beginning) {
      upstream.on(path_of(blob)).answer(200).body(blob).hold_at(1'000'000, gate);
    }
    row.script(upstream.on(path_of(blob)).answer(200).body(blob).ranges());
    Gateway gateway(upstream);
    gateway.start();
    std::optional<NoFills> full;
    std::optional<FileSizeLimit> limit;
    if (row.from_the_beginning) full.emplace(gateway);
    HttpClient client(gateway.port());
    client.send("GET", path_of(blob));
    auto answer = client.read_head();
    if (!row.from_the_beginning) {
      CHECK(gate->wait_reached());
      limit.emplace(room);
      gate->open();
    }
    client.read_rest(answer);
    const bool told = answer.status != 200;
    const bool seen_as_broken = told || !answer.complete;
    CHECK(seen_as_broken);
  }
}

TEST_CASE("who has begun to answer tries again when the upstream stumbles at the change") {
  const auto blob = noise(3'000'000);
  ScriptedUpstream upstream;
  const auto gate = upstream.gate();
  upstream.on(path_of(blob)).answer(200).body(blob).hold_at(1'000'000, gate);
  upstream.on(path_of(blob)).answer(200).vanish();
  upstream.on(path_of(blob)).answer(200).body(blob).ranges();
  Gateway gateway(upstream);
  gateway.start();
  HttpClient client(gateway.port());
  client.send("GET", path_of(blob));
  auto answer = client.read_head();
  client.read_body(answer, 500'000);
  CHECK(gate->wait_reached());
  const FileSizeLimit limit(room);
  gate->open();
  client.read_rest(answer);
  CHECK(answer.complete);
  CHECK((answer.body == blob));
}

TEST_CASE("a relay that is cut goes on where it stopped") {
  const auto blob = noise(2'000'000);
  ScriptedUpstream upstream;
  upstream.on(path_of(blob)).answer(200).body(blob).ranges().cut_after(700'000);
  upstream.on(path_of(blob)).answer(200).body(blob).ranges().reset_after(100'000);
  upstream.on(path_of(blob)).answer(200).body(blob);  // Begins again.
  Gateway gateway(upstream);
  gateway.start();
  const NoFills full(gateway);
  const auto got = gateway.get(path_of(blob));
  CHECK(got.complete);
  CHECK((got.body == blob));
  CHECK(upstream.count("GET", path_of(blob)) == 3);
}

TEST_CASE("a disk that fails at the very end changes nothing for who follows") {
  const auto blob = noise(2'000'000);
  ScriptedUpstream upstream;
  const auto gate = upstream.gate();
  upstream.on(path_of(blob)).answer(200).body(blob).hold_at(1'999'999, gate);
  upstream.on(path_of(blob)).answer(200).body(blob);
  Gateway gateway(upstream);
  gateway.start();
  HttpClient client(gateway.port());
  client.send("GET", path_of(blob));
  auto answer = client.read_head();
  CHECK(gate->wait_reached());
  // Somebody takes the part file away: it cannot be published.
  std::filesystem::remove_all(gateway.settings.cache.directory / "fills");
  gate->open();
  client.read_rest(answer);
  CHECK(answer.complete);
  CHECK((answer.body == blob));
  CHECK(gateway.wait_metric("archway_fills_total{outcome=\"storage_failed\"}", 1));
  CHECK(upstream.count("GET", path_of(blob)) == 1);
  CHECK((gateway.get(path_of(blob)).body == blob));
  CHECK(gateway.wait_metric("archway_cache_objects{kind=\"blob\"}", 1));
}

TEST_CASE("an empty blob goes past the disk only when it is the right one") {
  for (const bool right : {true, false}) {
    CAPTURE(right);
    const auto digest = digest_of(right ? "" : "something");
    const auto path = blob_path("library/hi", digest);
    ScriptedUpstream upstream;
    upstream.on(path).answer(200);
    Gateway gateway(upstream);
    gateway.start();
    const NoFills full(gateway);
    const auto got = gateway.get(path);
    CHECK(got.status == (right ? 200 : 502));
    CHECK(got.complete);
  }
}

TEST_CASE("what a config says is known also when it cannot be kept") {
  const auto image = make_image("linux/arm64", noise(1000));
  ScriptedUpstream upstream;
  publish(upstream, "library/hi", image);
  publish(upstream, "library/hi", image.manifest, "1");
  Gateway gateway(upstream);
  gateway.settings.policy.wrong = resolver::VerdictPolicy::Wrong::refuse;
  gateway.start();
  const NoFills full(gateway);
  const auto path = manifest_path("library/hi", "1");
  CHECK(gateway.get(path, {{"Archway-Platform", "linux/amd64"}}).status == 403);
  CHECK(gateway.get(path, {{"Archway-Platform", "linux/arm64"}}).body == image.manifest.bytes);
}

}  // namespace
}  // namespace archway::test
