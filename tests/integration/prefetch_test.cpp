// Knowing the fleet: what is fetched before anyone asks for it.

#include "tests/integration/gateway.hpp"
#include "tests/integration/images.hpp"

#include <chrono>
#include <doctest/doctest.h>
#include <string>
#include <vector>

namespace archway::test {
namespace {

constexpr const char* repository = "library/hi";
const std::string tag_path = manifest_path(repository, "1");
const std::string fetched = "archway_prefetch_total{result=\"fetched\"}";
const std::string failed = "archway_prefetch_total{result=\"failed\"}";
const std::string blobs = "archway_cache_objects{kind=\"blob\"}";

Headers client_of(const Image& image) {
  return {{"Archway-Platform", image.platform}};
}

/// A release of one image for three platforms.
struct Release {
  explicit Release(unsigned seed)
      : images{make_image("linux/amd64", noise(100'000, seed)),
               make_image("linux/arm64", noise(100'000, seed + 1)),
               make_image("linux/s390x", noise(100'000, seed + 2))},
        index(make_index(images)) {}

  /// At the upstream the tag means this release from now on.
  void point(ScriptedUpstream& upstream) const {
    for (const auto& image : images) publish(upstream, repository, image);
    publish(upstream, repository, index, "1");
  }
  std::vector<Image> images;
  Document index;
};

std::string path_of(const std::string& bytes) {
  return blob_path(repository, digest_of(bytes));
}

std::size_t blob_requests(const ScriptedUpstream& upstream) {
  std::size_t count = 0;
  for (const auto& request : upstream.requests()) {
    count += request.path.find("/blobs/") != std::string::npos ? 1 : 0;
  }
  return count;
}

/// As a machine pulls: the manifest by tag, then its parts.
void pull(const Gateway& gateway, const Image& image) {
  CHECK(gateway.get(tag_path, client_of(image)).body == image.manifest.bytes);
  for (const auto& bytes : {image.config, image.layer}) {
    CHECK(gateway.get(path_of(bytes)).body == bytes);
  }
}

void switch_on(Gateway& gateway, bool layers, bool seen) {
  gateway.settings.prefetch.layers = layers;
  gateway.settings.prefetch.seen = seen;
  gateway.settings.tags.fresh_for = std::chrono::seconds(1);
}

TEST_CASE("a tag that moved is in the cache for the platforms that pull it before they ask") {
  const Release before(10);
  const Release after(20);
  ScriptedUpstream upstream;
  before.point(upstream);
  Gateway gateway(upstream);
  switch_on(gateway, false, true);
  gateway.start();
  pull(gateway, before.images[0]);
  pull(gateway, before.images[1]);
  after.point(upstream);
  CHECK(gateway.wait_metric(fetched, 2));
  // Two platforms' layers of both releases; their configs are the same in both.
  CHECK(gateway.wait_metric(blobs, 6));
  const auto asked = blob_requests(upstream);
  CHECK(asked == 6);
  pull(gateway, after.images[0]);
  pull(gateway, after.images[1]);
  CHECK(blob_requests(upstream) == asked);
  const auto& other = after.images[2];
  for (const auto& bytes : {other.config, other.layer}) {
    CHECK(upstream.count("GET", path_of(bytes)) == 0);
  }
  CHECK(upstream.count("GET", manifest_path(repository, other.manifest.digest)) == 0);
  CHECK(gateway.log_text().find("prefetched") != std::string::npos);
}

TEST_CASE("a restart does not forget who pulls what") {
  const Release before(10);
  const Release after(20);
  ScriptedUpstream upstream;
  before.point(upstream);
  std::shared_ptr<ScratchDirectory> cache;
  {
    Gateway gateway(upstream);
    cache = gateway.cache();
    switch_on(gateway, false, true);
    gateway.start();
    pull(gateway, before.images[1]);
    gateway.stop();
  }
  after.point(upstream);
  Gateway gateway(upstream, cache);
  switch_on(gateway, false, true);
  gateway.start();
  CHECK(gateway.wait_metric(fetched, 1));
  CHECK(gateway.wait_metric(blobs, 3));
  CHECK(upstream.count("GET", path_of(after.images[1].layer)) == 1);
  CHECK(upstream.count("GET", path_of(after.images[0].layer)) == 0);
}

TEST_CASE("the layers of a manifest that was just handed out arrive without being asked for") {
  const Release release(10);
  ScriptedUpstream upstream;
  release.point(upstream);
  Gateway gateway(upstream);
  switch_on(gateway, true, false);
  gateway.start();
  const auto& image = release.images[1];
  CHECK(gateway.head(tag_path, client_of(image)).status == 200);
  CHECK(gateway.get(tag_path).body == release.index.bytes);  // Nothing to fetch but by choosing.
  CHECK(gateway.get(tag_path, client_of(image)).body == image.manifest.bytes);
  CHECK(gateway.wait_metric(fetched, 1));
  CHECK(gateway.wait_metric(blobs, 2));
  CHECK(blob_requests(upstream) == 2);
  CHECK(gateway.get(path_of(image.layer)).header("Archway-Cache") == "hit");
  CHECK(gateway.get(manifest_path(repository, release.images[0].manifest.digest)).complete);
  CHECK(gateway.wait_metric(fetched, 2));
  CHECK(blob_requests(upstream) == 4);
}

TEST_CASE("an upstream that says it is busy is left alone, and clients are served what there is") {
  const Release release(10);
  ScriptedUpstream upstream;
  for (const auto& image : release.images) publish(upstream, repository, image);
  publish(upstream, repository, release.index);
  upstream.on(tag_path)
      .answer(200)
      .header("Content-Type", release.index.media_type)
      .header("Docker-Content-Digest", release.index.digest)
      .body(release.index.bytes);
  upstream.on(tag_path).answer(429).header("Retry-After", "3600").error("TOOMANYREQUESTS", "later");
  Gateway gateway(upstream);
  switch_on(gateway, true, true);
  gateway.start();
  pull(gateway, release.images[0]);
  CHECK(upstream.wait_for("HEAD", tag_path, 2));  // The look that finds it busy.
  CHECK(gateway.wait_metric("archway_upstream_answers_total{status=\"429\",upstream=\"docker.io\"}",
                            1));
  const auto asked = blob_requests(upstream);
  // Nothing is fetched for a client either, who is told when to come back, and nothing ahead.
  const auto refused = gateway.get(manifest_path(repository, release.images[1].manifest.digest));
  CHECK(refused.status == 503);
  CHECK(std::stoi("0" + refused.header("Retry-After")) > 3500);
  pull(gateway, release.images[0]);
  CHECK(blob_requests(upstream) == asked);
  CHECK(gateway.metric(failed) == 0);
}

TEST_CASE("what fails on its way is counted, and the clients ask for it themselves") {
  const auto image = make_image("linux/arm64", noise(1000, 1));
  ScriptedUpstream upstream;
  publish(upstream, repository, image.manifest, "1");
  upstream.on(path_of(image.config)).answer(200).body(image.config);
  upstream.on(path_of(image.layer)).answer(500).error("UNKNOWN", "no");
  upstream.on(path_of(image.layer)).answer(200).body(image.layer);
  Gateway gateway(upstream);
  switch_on(gateway, true, false);
  gateway.start();
  CHECK(gateway.get(tag_path, client_of(image)).body == image.manifest.bytes);
  CHECK(gateway.wait_metric(failed, 1));
  CHECK(gateway.get(path_of(image.layer)).body == image.layer);
  CHECK(gateway.metric(fetched) == 0);
}

}  // namespace
}  // namespace archway::test
