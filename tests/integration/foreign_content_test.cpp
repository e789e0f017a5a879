// What an upstream's answers may name, claim and weigh.

#include "tests/integration/gateway.hpp"
#include "tests/integration/images.hpp"

#include <doctest/doctest.h>
#include <string>

namespace archway::test {
namespace {

constexpr const char* repository = "library/hi";

TEST_CASE("the addresses that a layer says it is at are never asked") {
  ScriptedUpstream upstream;
  ScriptedUpstream elsewhere;
  const auto layer = noise(1000);
  elsewhere.on("/layer").answer(200).body(layer);
  auto image = make_image("linux/amd64", layer);
  auto& bytes = image.manifest.bytes;
  const auto at = bytes.find(digest_of(layer));
  REQUIRE(at != std::string::npos);
  bytes.insert(bytes.find('"', at) + 1, ",\"urls\":[\"" + elsewhere.url() + "/layer\"]");
  image.manifest.digest = digest_of(bytes);
  publish(upstream, repository, image.manifest, "1");
  upstream.on(blob_path(repository, digest_of(image.config))).answer(200).body(image.config);
  Gateway gateway(upstream);
  gateway.settings.prefetch.layers = true;
  gateway.start();
  CHECK(gateway.get(manifest_path(repository, "1")).body == bytes);
  CHECK(gateway.get(blob_path(repository, digest_of(layer))).status == 404);
  CHECK(elsewhere.connections() == 0);
}

TEST_CASE("a manifest may have 4 MiB and not a byte more") {
  constexpr std::size_t most = 4 * 1024 * 1024;
  struct Row {
    std::size_t size;
    int status;
  };
  for (const Row row : {Row{most - 1, 200}, {most, 200}, {most + 1, 502}}) {
    CAPTURE(row.size);
    auto image = make_image("linux/amd64", "layer");
    auto& bytes = image.manifest.bytes;
    bytes.append(row.size - bytes.size(), ' ');
    image.manifest.digest = digest_of(bytes);
    ScriptedUpstream upstream;
    publish(upstream, repository, image.manifest, "1");
    Gateway gateway(upstream);
    gateway.start();
    const auto got = gateway.get(manifest_path(repository, image.manifest.digest));
    CHECK(got.status == row.status);
    if (row.status == 200) CHECK((got.body == bytes));
  }
}

TEST_CASE("a coded blob is passed on as it came, and kept only when the digest is of those bytes") {
  struct Row {
    const char* why;
    bool of_these_bytes;
  };
  for (const Row& row : {Row{"the digest is of the coded bytes", true},
                         Row{"the digest is of what they stand for", false}}) {
    CAPTURE(row.why);
    // Nobody looks inside: whether it would unpack to ten gigabytes is no question here.
    const auto sent = noise(100'000);
    const auto digest = row.of_these_bytes ? digest_of(sent) : digest_of("what they stand for");
    ScriptedUpstream upstream;
    upstream.on(blob_path(repository, digest))
        .answer(200)
        .header("Content-Encoding", "gzip")
        .body(sent);
    Gateway gateway(upstream);
    gateway.start();
    const auto got = gateway.get(blob_path(repository, digest));
    CHECK((got.status == 200 && got.complete) == row.of_these_bytes);
    if (row.of_these_bytes) CHECK((got.body == sent));
    CHECK(gateway.wait_metric("archway_fills_in_progress", 0));
    CHECK(gateway.blobs_on_disk() == (row.of_these_bytes ? 1 : 0));
    CHECK(upstream.requests().back().header("Accept-Encoding") == "identity");
  }
}

}  // namespace
}  // namespace archway::test
