#include "proxy/pull/prefetch.hpp"

#include "proxy/pull/keep_manifest.hpp"
#include "tests/proxy/pull/prefetch_bench.hpp"

#include <chrono>
#include <doctest/doctest.h>
#include <optional>
#include <string>

namespace archway::test {
namespace {

using proxy::Prefetch;
using proxy::Seen;
using proxy::StoredManifest;

const Platform arm64{.os = "linux", .architecture = "arm64"};
const Tag tag = *Tag::parse("1");

proxy::Settings settings_with(bool layers, bool seen) {
  proxy::Settings settings;
  settings.prefetch.layers = layers;
  settings.prefetch.seen = seen;
  return settings;
}

StoredManifest stored(const Document& document) {
  return proxy::stored_manifest(*Digest::parse(document.digest), document.media_type,
                                document.bytes);
}

/// The bench goes first: what runs on its loop uses the rest.
struct Scene {
  Scene(bool layers, bool with_seen) : bench(settings_with(layers, with_seen)) {
    seen.emplace(&bench.cache->index());
    seen->load();
    prefetch.emplace(bench.settings, &*seen, &log);
    publish(bench.upstream, "hi", image);
  }
  ~Scene() { bench.stop(); }

  void watch() { bench.spawn(prefetch->watch(&bench.parts)); }
  void hand_out(std::optional<Tag> by, std::optional<Platform> platform, bool body) {
    prefetch->handed_out(&bench.parts, hi(), by, platform, stored(image.manifest), body);
  }
  bool is_here() const { return bench.has_blob(image.config) && bench.has_blob(image.layer); }
  std::size_t asked() const { return bench.asked_for(image.config) + bench.asked_for(image.layer); }

  const Image image = make_image("linux/arm64", noise(100'000, 1));
  QuietLog log;
  std::optional<Seen> seen;
  std::optional<Prefetch> prefetch;
  PrefetchBench bench;
};

TEST_CASE("the parts of a manifest that was handed out come before anyone asks") {
  for (const bool by_tag : {false, true}) {
    CAPTURE(by_tag);
    Scene scene(true, false);
    scene.watch();
    scene.hand_out(by_tag ? std::optional(tag) : std::nullopt, arm64, true);
    CHECK(comes_true([&] { return scene.is_here(); }));
    CHECK(comes_true([&] { return scene.log.count("prefetched") == 1; }));
    scene.hand_out(tag, arm64, true);  // All is here.
    CHECK(scene.asked() == 2);
    CHECK(scene.seen->pulled_since(0).empty());
  }
}

TEST_CASE("what was handed out before the watch began is fetched when it does") {
  Scene scene(true, true);
  scene.hand_out(tag, arm64, true);
  scene.watch();
  CHECK(comes_true([&] { return scene.is_here(); }));
}

TEST_CASE("nothing is fetched for a HEAD, for what is switched off, or from who is left alone") {
  struct Row {
    const char* why;
    bool layers;
    bool body;
    std::optional<Error> failure;
    bool want;
  };
  const Error busy{.code = Errc::upstream_busy, .message = "later", .retry_after_s = 600};
  const Error gone{.code = Errc::manifest_unknown, .message = "no such tag"};
  const Row rows[] = {{"as it should be", true, true, {}, true},
                      {"a HEAD", true, false, {}, false},
                      {"only tags are watched", false, true, {}, false},
                      {"the upstream is busy", true, true, busy, false},
                      {"the upstream lacks something else", true, true, gone, true}};
  for (const auto& row : rows) {
    CAPTURE(row.why);
    Scene scene(row.layers, true);
    const auto other = make_image("linux/amd64", noise(1000, 2));
    publish(scene.bench.upstream, "hi", other);
    if (row.failure) scene.prefetch->spare("docker.io", *row.failure);
    scene.hand_out(tag, arm64, row.body);
    scene.watch();
    if (row.want) CHECK(comes_true([&] { return scene.is_here(); }));
    if (row.want) continue;
    // The queue is taken in order, so what comes next would be behind it.
    if (row.layers && !row.failure) {
      scene.prefetch->handed_out(&scene.bench.parts, hi(), tag, arm64, stored(other.manifest),
                                 true);
      CHECK(comes_true([&] { return scene.bench.has_blob(other.layer); }));
    }
    CHECK(scene.asked() == 0);
  }
}

TEST_CASE("a tag is remembered for a platform that is known, GET and HEAD alike") {
  struct Row {
    const char* why;
    bool seen;
    std::optional<Tag> by;
    std::optional<Platform> platform;
    bool body;
    std::size_t want;
  };
  const Row rows[] = {{"a pull", true, tag, arm64, true, 1},
                      {"a HEAD: a machine that has it still uses it", true, tag, arm64, false, 1},
                      {"by digest", true, {}, arm64, true, 0},
                      {"a client of unknown platform", true, tag, {}, true, 0},
                      {"switched off", false, tag, arm64, true, 0}};
  for (const auto& row : rows) {
    CAPTURE(row.why);
    Scene scene(false, row.seen);
    scene.hand_out(row.by, row.platform, row.body);
    CHECK(scene.seen->pulled_since(0).size() == row.want);
  }
}

TEST_CASE("a tag that was handed out and moves is fetched within its freshness and two seconds") {
  Scene scene(false, true);
  scene.bench.settings.tags.fresh_for = std::chrono::seconds(1);
  scene.prefetch.emplace(scene.bench.settings, &*scene.seen, &scene.log);
  const auto next = make_image("linux/arm64", noise(1000, 2));
  publish(scene.bench.upstream, "hi", next);
  publish(scene.bench.upstream, "hi", next.manifest, "1");
  scene.bench.commit({.tags = {{{hi(), tag},
                                {.digest = *Digest::parse(scene.image.manifest.digest),
                                 .checked_at = proxy::unix_now()}}}});
  scene.watch();
  scene.hand_out(tag, arm64, true);
  CHECK(comes_true([&] { return scene.bench.has_blob(next.layer); }));
  CHECK(comes_true([&] { return scene.bench.has_blob(next.config); }));
  CHECK(scene.bench.asked_for(scene.image.layer) == 0);
}

TEST_CASE("a loop that goes drops everything where it waits") {
  Scene scene(true, true);
  const auto gate = scene.bench.upstream.gate();
  const auto slow = make_image("linux/s390x", noise(1000, 3));
  scene.bench.upstream.on(blob_path("hi", digest_of(slow.config))).answer(200).hang(gate);
  scene.bench.upstream.on(blob_path("hi", digest_of(slow.layer))).answer(200).hang(gate);
  scene.bench.upstream.on(manifest_path("hi", "2")).answer(200).hang(gate);
  const auto now = proxy::unix_now();
  scene.seen->note(hi(), *Tag::parse("2"), arm64, now);
  scene.watch();
  scene.prefetch->handed_out(&scene.bench.parts, hi(), tag, arm64, stored(slow.manifest), true);
  CHECK(gate->wait_reached(3));
  scene.bench.stop();
  CHECK_FALSE(scene.bench.has_blob(slow.layer));
}

}  // namespace
}  // namespace archway::test
