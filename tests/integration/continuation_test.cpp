// What an upstream may do when it is asked for the rest of a blob, and what comes of slow clients,
// empty blobs, tags that move and answers that change.

#include "tests/integration/gateway.hpp"
#include "tests/integration/images.hpp"

#include <doctest/doctest.h>
#include <functional>
#include <string>
#include <vector>

namespace archway::test {
namespace {

constexpr const char* repository = "library/hi";

std::string path_of(const std::string& bytes) {
  return blob_path(repository, digest_of(bytes));
}

TEST_CASE("whatever comes as the rest of a cut blob, the client gets the right bytes or a reset") {
  const auto blob = noise(600'000);
  constexpr std::size_t cut = 200'000;
  const auto rest = blob.substr(cut);
  struct Row {
    const char* why;
    bool whole;  ///< must the client get it all?
    std::function<void(ScriptedUpstream&)> script;
  };
  const auto part = [&](const char* content_range, const std::string& body) {
    return [&, content_range, body](ScriptedUpstream& upstream) {
      upstream.on(path_of(blob)).answer(206).header("Content-Range", content_range).body(body);
    };
  };
  const std::vector<Row> rows{
      {"the rest", true, part("bytes 200000-599999/600000", rest)},
      {"the rest, of nobody says what", true, part("bytes 200000-599999/*", rest)},
      {"200, from the beginning", true,
       [&](auto& upstream) { upstream.on(path_of(blob)).answer(200).body(blob); }},
      {"200, of another length", false,
       [&](auto& upstream) { upstream.on(path_of(blob)).answer(200).body(blob + "x"); }},
      {"200, of another blob", false,
       [&](auto& upstream) { upstream.on(path_of(blob)).answer(200).body(noise(600'000, 2)); }},
      {"another part", false, part("bytes 100000-499999/600000", rest)},
      {"a part without saying which", false, part("", rest)},
      {"of another total", false, part("bytes 200000-599999/700000", rest)},
      {"a part backwards", false, part("bytes 599999-200000/600000", rest)},
      {"wrong bytes", false, part("bytes 200000-599999/600000", noise(400'000, 3))},
      {"416", false, [&](auto& upstream) { upstream.on(path_of(blob)).answer(416); }},
      {"404", false, [&](auto& upstream) { upstream.on(path_of(blob)).answer(404); }},
      {"204", false, [&](auto& upstream) { upstream.on(path_of(blob)).answer(204); }},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    ScriptedUpstream upstream;
    upstream.on(path_of(blob)).answer(200).body(blob).cut_after(cut);
    row.script(upstream);
    Gateway gateway(upstream);
    gateway.start();
    const auto got = gateway.get(path_of(blob));
    const bool all = got.status == 200 && got.complete;
    CHECK(all == row.whole);
    if (all) CHECK((got.body == blob));
    CHECK(gateway.wait_metric("archway_fills_in_progress", 0));
    CHECK(gateway.blobs_on_disk() == (row.whole ? 1 : 0));
  }
}

TEST_CASE("a transfer that is cut again and again arrives as long as it moves") {
  const auto blob = noise(1'000'000);
  ScriptedUpstream upstream;
  for (int i = 0; i < 20; ++i) {
    upstream.on(path_of(blob)).answer(200).body(blob).ranges().cut_after(49'999);
  }
  upstream.on(path_of(blob)).answer(200).body(blob).ranges();
  Gateway gateway(upstream);
  gateway.start();
  const auto got = gateway.get(path_of(blob));
  CHECK(got.complete);
  CHECK((got.body == blob));
  CHECK(upstream.count("GET", path_of(blob)) == 21);
  CHECK(upstream.requests().back().header("Range") == "bytes=999980-");
}

TEST_CASE("a client that takes nothing holds up nobody") {
  const auto blob = noise(24'000'000);  // More than the sockets hold.
  ScriptedUpstream upstream;
  upstream.on(path_of(blob)).answer(200).body(blob);
  Gateway gateway(upstream);
  gateway.start();
  HttpClient slow(gateway.port());
  slow.send("GET", path_of(blob));
  auto late = slow.read_head();
  CHECK(late.status == 200);
  for (int i = 0; i < 3; ++i) {
    const auto fast = gateway.get(path_of(blob));
    CHECK(fast.complete);
    CHECK((fast.body == blob));
  }
  CHECK(gateway.wait_metric("archway_fills_total{outcome=\"published\"}", 1));
  slow.read_rest(late);
  CHECK((late.body == blob));
  CHECK(upstream.count("GET", path_of(blob)) == 1);
}

TEST_CASE("the empty blob and the empty object are blobs like others") {
  for (const std::string blob : {"", "{}"}) {
    CAPTURE(blob);
    ScriptedUpstream upstream;
    upstream.on(path_of(blob)).answer(200).body(blob);
    Gateway gateway(upstream);
    gateway.start();
    for (const char* outcome : {"miss", "hit"}) {
      const auto got = gateway.get(path_of(blob));
      CHECK(got.status == 200);
      CHECK(got.complete);
      CHECK(got.body == blob);
      CHECK(got.header("Content-Length") == std::to_string(blob.size()));
      CHECK(got.header("Archway-Cache") == outcome);
      CHECK(gateway.wait_metric("archway_cache_objects{kind=\"blob\"}", 1));
    }
    const auto head = gateway.head(path_of(blob));
    CHECK(head.header("Content-Length") == std::to_string(blob.size()));
    CHECK(gateway.get(path_of(blob), {{"Range", "bytes=5-"}}).status == 416);
  }
}

TEST_CASE("what an upstream did not have a moment ago is asked for again, and what is here stays") {
  const auto blob = noise(1000);
  ScriptedUpstream upstream;
  upstream.on(path_of(blob)).answer(404);
  upstream.on(path_of(blob)).answer(200).body(blob);
  upstream.on(path_of(blob)).answer(404);
  Gateway gateway(upstream);
  gateway.start();
  CHECK(gateway.get(path_of(blob)).status == 404);
  CHECK(gateway.get(path_of(blob)).body == blob);
  CHECK(gateway.wait_metric("archway_cache_objects{kind=\"blob\"}", 1));
  CHECK(gateway.get(path_of(blob)).body == blob);
  CHECK(upstream.count("GET", path_of(blob)) == 2);
}

TEST_CASE("an image whose tag moves, and which is deleted, can be pulled to its end") {
  const auto image = make_image("linux/amd64", noise(1000));
  ScriptedUpstream upstream;
  publish(upstream, repository, image.manifest, "1");
  upstream.on(manifest_path(repository, image.manifest.digest)).answer(404);
  publish(upstream, repository, make_image("linux/amd64", noise(2000)).manifest, "1");
  upstream.on(path_of(image.config)).answer(200).body(image.config);
  upstream.on(path_of(image.layer)).answer(200).body(image.layer);
  Gateway gateway(upstream);
  gateway.start();
  const auto by_tag = gateway.get(manifest_path(repository, "1"));
  CHECK(by_tag.body == image.manifest.bytes);
  CHECK(by_tag.header("Docker-Content-Digest") == image.manifest.digest);
  CHECK(by_tag.header("Content-Type") == image.manifest.media_type);
  const auto by_digest = gateway.get(manifest_path(repository, image.manifest.digest));
  CHECK(by_digest.body == image.manifest.bytes);
  CHECK(gateway.get(path_of(image.config)).body == image.config);
  CHECK(gateway.get(path_of(image.layer)).body == image.layer);
}

}  // namespace
}  // namespace archway::test
