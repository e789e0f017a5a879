#include "proxy/pull/prefetch_queue.hpp"

#include "proxy/pull/obtain_blob.hpp"
#include "tests/proxy/pull/prefetch_bench.hpp"

#include <boost/asio/post.hpp>
#include <chrono>
#include <doctest/doctest.h>
#include <future>
#include <memory>
#include <string>
#include <vector>

namespace archway::test {
namespace {

using proxy::PrefetchBatch;
using proxy::PrefetchQueue;
using proxy::Spared;

Digest digest(const std::string& bytes) {
  return *Digest::parse(digest_of(bytes));
}

/// The bench goes first: what runs on its loop uses the rest.
struct Scene {
  explicit Scene(int workers) {
    for (int i = 0; i < workers; ++i) bench.spawn(queue.work(&bench.parts));
  }

  void serve(const std::vector<std::string>& blobs) {
    for (const auto& bytes : blobs) {
      bench.upstream.on(blob_path("hi", digest_of(bytes))).answer(200).body(bytes);
    }
  }

  /// Whether all of it was there in the end.
  std::future<bool> fetch(const std::string& manifest, const std::vector<std::string>& blobs) {
    PrefetchBatch batch{
        .image = hi(), .name = "docker.io/hi:1", .manifest = digest(manifest), .blobs = {}};
    for (const auto& bytes : blobs) batch.blobs.push_back(digest(bytes));
    const auto whole = std::make_shared<std::promise<bool>>();
    batch.done = [whole](bool is) { whole->set_value(is); };
    CHECK(queue.push(std::move(batch)));
    return whole->get_future();
  }

  QuietLog log;
  Spared spared;
  PrefetchQueue queue{&spared, &log};
  PrefetchBench bench;
};

TEST_CASE("what is fetched ahead of a manifest: its config and its own layers, each once") {
  using resolver::Manifest;
  const auto part = [](const std::string& bytes, const std::string& type = "layer") {
    return Descriptor{.media_type = type, .digest = digest(bytes), .platform = {}};
  };
  const std::vector<Descriptor> layers{
      part("a"),
      part("b"),
      part("a"),
      part("here"),
      part("f", "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"),
      part("n", "application/vnd.oci.image.layer.nondistributable.v1.tar")};
  const Manifest image{.kind = ManifestKind::manifest,
                       .interpretable = true,
                       .config = part("config"),
                       .layers = layers};
  auto doubtful = image;
  doubtful.interpretable = false;
  auto index = image;
  index.kind = ManifestKind::index;
  PrefetchBench bench;
  bench.commit({.blobs = {{digest("here"), {.size = 4}}}});
  const auto missing = [&](const Manifest& of) {
    return proxy::missing_parts(bench.cache->index(), of);
  };
  CHECK(missing(image) == std::vector{digest("config"), digest("a"), digest("b")});
  CHECK(missing(doubtful).empty());
  CHECK(missing(index).empty());
}

TEST_CASE("a batch is fetched whole, told and counted, and one that joins it costs nothing") {
  Scene scene(2);
  const std::vector<std::string> blobs{noise(1000, 1), noise(200'000, 2), noise(1, 3)};
  const auto gate = scene.bench.upstream.gate();
  scene.bench.upstream.on(blob_path("hi", digest_of(blobs[0])))
      .answer(200)
      .body(blobs[0])
      .hang(gate);
  scene.serve({blobs[1], blobs[2]});
  auto first = scene.fetch("m", blobs);
  CHECK(gate->wait_reached());
  auto second = scene.fetch("m", blobs);
  gate->open();
  CHECK(first.get());
  CHECK(second.get());
  for (const auto& bytes : blobs) {
    CHECK(scene.bench.asked_for(bytes) == 1);
    CHECK(comes_true([&] { return scene.bench.has_blob(bytes); }));
  }
  CHECK(scene.log.count("prefetched") == 1);
  CHECK(scene.bench.metrics.fetched == 1);
  CHECK(scene.fetch("m", blobs).get());  // All is here: nothing is asked, nothing told.
  CHECK(scene.bench.asked_for(blobs[0]) == 1);
  CHECK(scene.log.count("prefetched") == 1);
}

TEST_CASE("no more is under way at once than there are workers") {
  Scene scene(2);
  const std::vector<std::string> blobs{noise(100, 1), noise(100, 2), noise(100, 3)};
  const auto gate = scene.bench.upstream.gate();
  for (const auto& bytes : blobs) {
    scene.bench.upstream.on(blob_path("hi", digest_of(bytes))).answer(200).body(bytes).hang(gate);
  }
  auto whole = scene.fetch("m", blobs);
  CHECK(gate->wait_reached(2));
  CHECK(scene.bench.cache->stats().fills_in_progress == 2);
  CHECK(scene.bench.asked_for(blobs[2]) == 0);
  gate->release();
  CHECK(gate->wait_reached(3));
  gate->open();
  CHECK(whole.get());
}

TEST_CASE("an upstream that fails or is busy is not asked again for a while") {
  struct Row {
    const char* why;
    unsigned status;
    bool spared;
  };
  const Row rows[] = {
      {"busy", 429, true}, {"an error of its own", 500, true}, {"gone", 404, false}};
  for (const auto& row : rows) {
    CAPTURE(row.why);
    Scene scene(1);
    const auto bad = noise(100, 1);
    const auto good = noise(100, 2);
    scene.bench.upstream.on(blob_path("hi", digest_of(bad)))
        .answer(row.status)
        .error("UNKNOWN", "no");
    scene.serve({good});
    CHECK_FALSE(scene.fetch("m", {bad, good}).get());
    CHECK(scene.bench.asked_for(bad) == 1);
    CHECK(scene.bench.asked_for(good) == 0);  // Of no use without the other.
    CHECK(scene.spared.is_spared("docker.io", Spared::Time::clock::now()) == row.spared);
    CHECK(scene.fetch("n", {good}).get() == !row.spared);
    CHECK(scene.bench.asked_for(good) == (row.spared ? 0 : 1));
    CHECK(scene.bench.metrics.failed == (row.spared ? 2 : 1));
  }
}

TEST_CASE("nothing begins while clients' own transfers are many") {
  Scene scene(2);
  const auto blob = noise(100, 1);
  scene.serve({blob});
  scene.bench.cache->more = proxy::fills_max / 2 + 1;
  auto whole = scene.fetch("m", {blob});
  const auto waited = std::make_shared<std::promise<void>>();
  // Behind everything that the loop had to do, and the worker looks again in a quarter of a second.
  boost::asio::post(scene.bench.executor(), [waited] { waited->set_value(); });
  waited->get_future().wait();
  CHECK(scene.bench.asked_for(blob) == 0);
  scene.bench.cache->more = proxy::fills_max / 2;
  CHECK(whole.get());
  CHECK(scene.bench.asked_for(blob) == 1);
}

TEST_CASE("a queue that is full takes no more") {
  QuietLog log;
  Spared spared;
  PrefetchQueue queue(&spared, &log);
  PrefetchBatch large{.image = hi(), .name = "", .manifest = digest("m"), .blobs = {}};
  CHECK_FALSE(queue.push(large));  // Nothing to fetch.
  large.blobs.assign(proxy::prefetch_blobs_max, digest("a"));
  CHECK(queue.push(large));
  PrefetchBatch next{.image = hi(), .name = "", .manifest = digest("n"), .blobs = {digest("b")}};
  CHECK_FALSE(queue.push(next));
}

TEST_CASE("a loop that goes while a blob is on its way drops the work where it waits") {
  Scene scene(2);
  const auto blob = noise(100, 1);
  const auto gate = scene.bench.upstream.gate();
  scene.bench.upstream.on(blob_path("hi", digest_of(blob))).answer(200).body(blob).hang(gate);
  auto whole = scene.fetch("m", {blob});
  CHECK(gate->wait_reached());
  scene.bench.stop();
  CHECK(whole.wait_for(std::chrono::seconds(0)) == std::future_status::timeout);
}

}  // namespace
}  // namespace archway::test
