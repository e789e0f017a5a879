// How long what an upstream said is believed, and what is served when it cannot be asked.

#include "tests/integration/gateway.hpp"
#include "tests/integration/images.hpp"

#include <doctest/doctest.h>
#include <string>
#include <vector>

namespace archway::test {
namespace {

constexpr const char* repository = "library/hi";
const std::string tag_path = manifest_path(repository, "1");
const Headers no_cache{{"Cache-Control", "no-cache"}};

/// An upstream with one image at one tag, which it goes on to answer otherwise.
struct Scene {
  ScriptedUpstream upstream;
  Image image = make_image("linux/amd64", noise(90'000));
  Gateway gateway{upstream};

  Scene() {
    publish(upstream, repository, image);
    there();
  }
  ScriptedAnswer& there() {
    return upstream.on(tag_path)
        .answer(200)
        .header("Content-Type", image.manifest.media_type)
        .header("Docker-Content-Digest", image.manifest.digest)
        .body(image.manifest.bytes);
  }
  void then(unsigned status) { upstream.on(tag_path).answer(status).error("UNKNOWN", "no"); }
  void never_fresh() { gateway.settings.tags.fresh_for = std::chrono::seconds(0); }
};

TEST_CASE("a stale answer says so, and how old it is") {
  Scene scene;
  scene.then(500);
  scene.never_fresh();
  scene.gateway.start();
  const auto first = scene.gateway.get(tag_path);
  CHECK(first.header("Archway-Cache") == "miss");
  CHECK(first.header("Warning").empty());
  CHECK(first.header("Age").empty());
  for (const auto& stale : {scene.gateway.get(tag_path), scene.gateway.head(tag_path)}) {
    CHECK(stale.status == 200);
    CHECK(stale.header("Archway-Cache") == "stale");
    CHECK(stale.header("Warning").find("110 - \"") == 0);
    REQUIRE_FALSE(stale.header("Age").empty());
    CHECK(std::stoi(stale.header("Age")) < 60);
    CHECK(stale.header("Docker-Content-Digest") == scene.image.manifest.digest);
  }
}

TEST_CASE("what a stale tag names is served from the cache as ever") {
  Scene scene;
  scene.then(503);
  scene.never_fresh();
  scene.gateway.start();
  const auto manifest = manifest_path(repository, scene.image.manifest.digest);
  const auto layer = blob_path(repository, digest_of(scene.image.layer));
  CHECK(scene.gateway.get(tag_path).status == 200);
  CHECK(scene.gateway.get(layer).body == scene.image.layer);
  CHECK(scene.gateway.wait_metric("archway_cache_objects{kind=\"blob\"}", 1));
  CHECK(scene.gateway.get(tag_path).header("Archway-Cache") == "stale");
  CHECK(scene.gateway.get(manifest).header("Archway-Cache") == "hit");
  CHECK(scene.gateway.get(layer).header("Archway-Cache") == "hit");
}

TEST_CASE("an image that its upstream has deleted or locked is served where that is wanted") {
  for (const unsigned status : {401U, 403U, 404U}) {
    CAPTURE(status);
    Scene scene;
    scene.then(status);
    scene.never_fresh();
    scene.gateway.settings.tags.rules = {
        {.match = "docker.io/library/*", .changes = {.serve_deleted = true}}};
    scene.gateway.start();
    CHECK(scene.gateway.get(tag_path).status == 200);
    const auto deleted = scene.gateway.get(tag_path);
    CHECK(deleted.status == 200);
    CHECK(deleted.header("Archway-Cache") == "stale");
  }
}

TEST_CASE("what was not there is not asked for again for a while, but after a SIGHUP it is") {
  Scene scene;
  const auto path = manifest_path(repository, "2");
  scene.gateway.start();
  CHECK(scene.gateway.get(path).status == 404);
  for (int i = 0; i < 5; ++i) CHECK(scene.gateway.head(path).status == 404);
  CHECK(scene.upstream.count("HEAD", path) == 1);
  CHECK(scene.gateway.get(manifest_path(repository, "3")).status == 404);
  CHECK(scene.upstream.count("HEAD", manifest_path(repository, "3")) == 1);
  scene.gateway.server().reload();
  CHECK(scene.gateway.get(path).status == 404);
  CHECK(scene.upstream.count("HEAD", path) == 2);
}

TEST_CASE("a manifest that was not there is not asked for again for a while either") {
  Scene scene;
  const auto path = manifest_path(repository, digest_of("nothing"));
  scene.gateway.start();
  for (int i = 0; i < 5; ++i) CHECK(scene.gateway.get(path).status == 404);
  CHECK(scene.upstream.count("GET", path) == 1);
}

TEST_CASE("a failure is never remembered as an answer") {
  Scene scene;
  const auto path = manifest_path(repository, "2");
  scene.upstream.on(path).answer(500);
  scene.upstream.on(path).answer(404);
  scene.gateway.start();
  CHECK(scene.gateway.get(path).status == 502);
  CHECK(scene.gateway.get(path).status == 404);
}

TEST_CASE("what an upstream says is gone does not hide what is cached and fresh") {
  Scene scene;
  scene.then(404);
  scene.gateway.settings.tags.no_cache_from = {*resolver::Network::parse("127.0.0.0/8")};
  scene.gateway.start();
  CHECK(scene.gateway.get(tag_path).status == 200);
  CHECK(scene.gateway.get(tag_path, no_cache).status == 404);
  const auto cached = scene.gateway.get(tag_path);
  CHECK(cached.status == 200);
  CHECK(cached.header("Archway-Cache") == "hit");
}

TEST_CASE("a client that may ask anew does, and one that may not gets what is fresh") {
  struct Row {
    std::string why;
    std::string network;
    Headers headers;
    std::size_t heads;
  };
  for (const auto& row : std::vector<Row>{
           {"from a trusted network", "127.0.0.0/8", no_cache, 2},
           {"among other directives", "127.0.0.1", {{"Cache-Control", "max-age=0, no-cache"}}, 2},
           {"from another network", "10.0.0.0/8", no_cache, 1},
           {"no such wish", "127.0.0.0/8", {{"Cache-Control", "max-age=0"}}, 1},
       }) {
    CAPTURE(row.why);
    Scene scene;
    scene.gateway.settings.tags.no_cache_from = {*resolver::Network::parse(row.network)};
    scene.gateway.start();
    CHECK(scene.gateway.get(tag_path).status == 200);
    CHECK(scene.gateway.get(tag_path, row.headers).body == scene.image.manifest.bytes);
    CHECK(scene.upstream.count("HEAD", tag_path) == row.heads);
  }
}

TEST_CASE(
    "who is offline by choice asks nobody: what is cached is served, the rest fails at once") {
  Scene scene;
  std::shared_ptr<ScratchDirectory> cache;
  const auto layer = blob_path(repository, digest_of(scene.image.layer));
  {
    scene.gateway.start();
    cache = scene.gateway.cache();
    CHECK(scene.gateway.get(tag_path).status == 200);
    CHECK(scene.gateway.get(layer).complete);
    CHECK(scene.gateway.wait_metric("archway_cache_objects{kind=\"blob\"}", 1));
    scene.gateway.stop();
  }
  const auto asked = scene.upstream.requests().size();
  Gateway gateway(scene.upstream, cache);
  gateway.settings.offline = true;
  gateway.settings.prefetch = {.layers = true, .seen = true};
  gateway.settings.tags.fresh_for = gateway.settings.tags.stale_for = std::chrono::seconds(0);
  gateway.start();
  const auto tag = gateway.get(tag_path);
  CHECK(tag.body == scene.image.manifest.bytes);
  CHECK(tag.header("Archway-Cache") == "stale");
  CHECK(gateway.get(layer).body == scene.image.layer);
  for (const auto& path : {manifest_path(repository, "2"), manifest_path("other/name", "1"),
                           blob_path(repository, digest_of("nothing")),
                           manifest_path(repository, digest_of("nothing"))}) {
    CAPTURE(path);
    const auto miss = gateway.get(path);
    CHECK(miss.status == 504);
    CHECK(miss.body.find("archway is offline (offline: true)") != std::string::npos);
  }
  CHECK(scene.upstream.requests().size() == asked);
}

TEST_CASE("a rate limit that is nearly used up is shown, and nothing is fetched ahead") {
  Scene scene;
  const auto path = manifest_path(repository, "2");
  scene.upstream.on(path)
      .answer(200)
      .header("Content-Type", scene.image.manifest.media_type)
      .header("Docker-Content-Digest", scene.image.manifest.digest)
      .header("RateLimit-Limit", "100;w=21600")
      .header("RateLimit-Remaining", "9;w=21600")
      .body(scene.image.manifest.bytes);
  scene.gateway.settings.prefetch.layers = true;
  scene.gateway.start();
  CHECK(scene.gateway.get(path).status == 200);
  const auto labels = "{upstream=\"docker.io\",url=\"" + scene.upstream.url() + "\"}";
  CHECK(scene.gateway.metric("archway_upstream_rate_limit" + labels) == 100);
  CHECK(scene.gateway.metric("archway_upstream_rate_remaining" + labels) == 9);
  CHECK(scene.gateway.wait_log("little is left of its rate limit"));
  CHECK(scene.upstream.count("GET", blob_path(repository, digest_of(scene.image.layer))) == 0);
}

TEST_CASE("a tag that moves while its image is pulled leaves each pull one image") {
  Scene scene;
  const auto other = make_image("linux/amd64", noise(80'000, 7));
  publish(scene.upstream, repository, other);
  scene.upstream.on(tag_path)
      .answer(200)
      .header("Content-Type", other.manifest.media_type)
      .header("Docker-Content-Digest", other.manifest.digest)
      .body(other.manifest.bytes);
  scene.never_fresh();
  scene.gateway.start();
  const auto first = scene.gateway.get(tag_path);
  const auto second = scene.gateway.get(tag_path);
  const auto is_whole = [&](const Answer& got, const Image& want) {
    CHECK(got.header("Docker-Content-Digest") == want.manifest.digest);
    CHECK(got.body == want.manifest.bytes);
    CHECK(got.header("Content-Length") == std::to_string(want.manifest.bytes.size()));
    CHECK(scene.gateway.get(manifest_path(repository, want.manifest.digest)).body ==
          want.manifest.bytes);
    for (const auto& bytes : {want.config, want.layer}) {
      CHECK(scene.gateway.get(blob_path(repository, digest_of(bytes))).body == bytes);
    }
  };
  is_whole(first, scene.image);  // The tag has moved on; what it named is still all there.
  is_whole(second, other);
}

}  // namespace
}  // namespace archway::test
