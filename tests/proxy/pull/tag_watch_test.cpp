#include "proxy/pull/tag_watch.hpp"

#include "tests/proxy/pull/prefetch_bench.hpp"

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <doctest/doctest.h>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace archway::test {
namespace {

using proxy::PrefetchQueue;
using proxy::Seen;
using proxy::Spared;
using proxy::TagWatch;

const std::string amd64 = "linux/amd64";
const std::string arm64 = "linux/arm64";
constexpr std::chrono::seconds fresh_for{300};

/// A release of one image for three platforms.
struct Release {
  explicit Release(unsigned seed)
      : images{make_image("linux/amd64", noise(1000, seed)),
               make_image("linux/arm64", noise(1000, seed + 1)),
               make_image("linux/s390x", noise(1000, seed + 2))},
        index(make_index(images)) {}
  std::vector<Image> images;
  Document index;
};

proxy::Settings settings_with(std::vector<VirtualImage> images) {
  proxy::Settings settings;
  settings.tags.fresh_for = fresh_for;
  settings.images = std::move(images);
  return settings;
}

boost::asio::awaitable<void> ask(proxy::PullParts* parts, std::string tag) {
  const Reference reference = *Tag::parse(tag);
  const auto head = co_await parts->registry(hi())->head_manifest(hi().repository, reference);
  CHECK_FALSE(head);
}

/// Tags that were last asked for long ago, so that each is looked at once, at once. The bench goes
/// first: what runs on its loop uses the rest.
struct Scene {
  explicit Scene(std::vector<VirtualImage> images = {}) : bench(settings_with(std::move(images))) {
    seen.emplace(&bench.cache->index());
    seen->load();
    watch.emplace(bench.settings, &*seen, &queue, &spared, &log);
  }
  ~Scene() { bench.stop(); }

  void publish_all(const Release& release, const std::string& repository = "hi") {
    for (const auto& image : release.images) publish(bench.upstream, repository, image);
    publish(bench.upstream, repository, release.index);
  }
  void point(const std::string& tag, const Document& index) {
    publish(bench.upstream, "hi", index, tag);
  }
  void is_cached(const Document& index) {
    bench.commit({.manifests = {{*Digest::parse(index.digest),
                                 {.media_type = index.media_type, .bytes = index.bytes}}},
                  .grants = {{hi(), *Digest::parse(index.digest)}}});
  }
  /// The tag stood for that when a client of each platform was last given it.
  void was_pulled(const std::string& name, const std::string& digest,
                  const std::vector<std::string>& platforms, std::int64_t seconds_ago) {
    const auto tag = *Tag::parse(name);
    const auto now = proxy::unix_now();
    for (const auto& platform : platforms) seen->note(hi(), tag, *Platform::parse(platform), now);
    bench.commit({.tags = {{{hi(), tag},
                            {.digest = *Digest::parse(digest), .checked_at = now - seconds_ago}}}});
  }
  void start() {
    bench.spawn(queue.work(&bench.parts));
    bench.spawn(watch->run(&bench.parts));
  }
  bool looked_at(const std::string& tag, std::size_t times = 1) {
    return bench.upstream.wait_for("HEAD", manifest_path("hi", tag), times);
  }
  bool has(const Image& image) const {
    return bench.has_blob(image.config) && bench.has_blob(image.layer);
  }
  bool asked_for(const Image& image) const {
    return bench.asked_for(image.config) + bench.asked_for(image.layer) > 0;
  }

  QuietLog log;
  Spared spared;
  PrefetchQueue queue{&spared, &log};
  std::optional<TagWatch> watch;
  std::optional<Seen> seen;
  PrefetchBench bench;
};

TEST_CASE("a tag that moved is fetched for the platforms that pull it, and for no other") {
  const Release before(10);
  const Release after(20);
  Scene scene;
  scene.publish_all(after);
  scene.point("1", after.index);
  scene.was_pulled("1", before.index.digest, {amd64, arm64}, 1000);
  scene.start();
  CHECK(comes_true([&] { return scene.has(after.images[0]) && scene.has(after.images[1]); }));
  CHECK(comes_true([&] { return scene.bench.metrics.fetched == 2; }));
  CHECK_FALSE(scene.asked_for(after.images[2]));
  CHECK(scene.bench.upstream.count("HEAD", manifest_path("hi", "1")) == 1);
  CHECK(scene.log.count("prefetched") == 2);
}

TEST_CASE("a tag that has not moved costs one HEAD, whatever of it is missing") {
  const Release release(10);
  Scene scene;
  scene.publish_all(release);
  scene.point("1", release.index);
  scene.point("2", release.index);
  scene.was_pulled("1", release.index.digest, {amd64, arm64}, 1000);
  scene.was_pulled("2", release.index.digest, {amd64}, 999);
  scene.start();
  CHECK(scene.looked_at("2"));  // So the look at the first, which was due before, is over.
  CHECK(scene.bench.upstream.count("HEAD", manifest_path("hi", "1")) == 1);
  for (const auto& image : release.images) CHECK_FALSE(scene.asked_for(image));
}

TEST_CASE("a tag that is still fresh is not asked about, nor one that nobody pulled for long") {
  const Release release(10);
  Scene scene;
  scene.publish_all(release);
  for (const char* tag : {"fresh", "old", "due"}) scene.point(tag, release.index);
  scene.was_pulled("fresh", release.index.digest, {amd64}, 10);
  scene.was_pulled("due", release.index.digest, {amd64}, 1000);
  const auto old = *Tag::parse("old");
  const auto forget = scene.bench.settings.prefetch.forget.count();
  scene.seen->note(hi(), old, *Platform::parse(amd64), proxy::unix_now() - forget - 10);
  scene.start();
  CHECK(scene.looked_at("due"));
  CHECK(scene.bench.upstream.count("HEAD", manifest_path("hi", "fresh")) == 0);
  CHECK(scene.bench.upstream.count("HEAD", manifest_path("hi", "old")) == 0);
  CHECK(scene.seen->pulled_since(0).size() == 2);
}

TEST_CASE("what an index lacks for one platform is no reason to let the others wait") {
  const Release before(10);
  const Release after(20);
  Scene scene;
  scene.publish_all(after);
  scene.point("1", after.index);
  scene.bench.settings.policy.missing = resolver::VerdictPolicy::Missing::refuse;
  scene.was_pulled("1", before.index.digest, {amd64, "linux/riscv64"}, 1000);
  scene.start();
  CHECK(comes_true([&] { return scene.has(after.images[0]); }));
}

TEST_CASE("clients that choose for themselves from an index find what they will choose") {
  const Release before(10);
  const Release after(20);
  for (const auto answer :
       {resolver::VerdictPolicy::Answer::pass, resolver::VerdictPolicy::Answer::filter}) {
    Scene scene;
    scene.publish_all(after);
    scene.point("1", after.index);
    scene.bench.settings.policy.answer = answer;
    scene.was_pulled("1", before.index.digest, {arm64}, 1000);
    scene.start();
    CHECK(comes_true([&] { return scene.has(after.images[1]); }));
    CHECK_FALSE(scene.asked_for(after.images[0]));
  }
}

TEST_CASE("a member of a virtual image is fetched from where it is published") {
  const Release before(10);
  const auto arm = make_image(arm64, noise(1000, 30));
  const ImageName member{.upstream = "docker.io", .repository = *Repository::parse("arm64v8/hi")};
  VirtualImage made{.name = hi(), .tag = {}, .members = {}};
  made.members.push_back({.platform = *Platform::parse(amd64), .image = hi()});
  made.members.push_back({.platform = *Platform::parse(arm64), .image = member});
  Scene scene({made});
  scene.publish_all(before);
  scene.point("1", before.index);
  publish(scene.bench.upstream, "arm64v8/hi", arm);
  publish(scene.bench.upstream, "arm64v8/hi", arm.manifest, "1");
  scene.was_pulled("1", before.index.digest, {arm64}, 1000);
  scene.start();
  CHECK(comes_true([&] { return scene.has(arm); }));
  CHECK(scene.bench.upstream.count("GET", blob_path("arm64v8/hi", digest_of(arm.layer))) == 1);
  CHECK_FALSE(scene.asked_for(before.images[0]));
}

TEST_CASE("an upstream that fails or is busy is left alone, also with its other tags") {
  struct Row {
    const char* why;
    unsigned status;
    std::chrono::hours stale_for;
    std::chrono::seconds at_least;
  };
  const Row rows[] = {
      {"busy, and clients get what is cached", 429, std::chrono::hours(24),
       std::chrono::seconds(50)},
      {"an error of its own", 500, std::chrono::hours(24), std::chrono::seconds(50)},
      {"busy, and clients are told so", 429, std::chrono::hours(0), std::chrono::seconds(890)}};
  const Release before(10);
  for (const auto& row : rows) {
    CAPTURE(row.why);
    Scene scene;
    scene.bench.settings.tags.stale_for = row.stale_for;
    const auto path = manifest_path("hi", "1");
    scene.bench.upstream.on(path)
        .answer(row.status)
        .header("Retry-After", "900")
        .error("TOOMANYREQUESTS", "later");
    scene.is_cached(before.index);
    scene.is_cached(before.images[0].manifest);
    scene.was_pulled("1", before.index.digest, {amd64}, 1000);
    scene.was_pulled("2", before.index.digest, {amd64}, 999);
    scene.start();
    const auto spared_in = [&](std::chrono::seconds time) {
      return scene.spared.is_spared("docker.io", Spared::Time::clock::now() + time);
    };
    CHECK(comes_true([&] { return spared_in(row.at_least); }));
    if (row.status != 429) {  // Of one that asked to be left alone nothing is asked, not even this.
      scene.bench.spawn(ask(&scene.bench.parts, "marker"));  // Behind whatever it does next.
      CHECK(scene.looked_at("marker"));
    }
    CHECK(scene.bench.upstream.count("HEAD", manifest_path("hi", "2")) == 0);
    CHECK(scene.bench.upstream.count("HEAD", path) == 1);
  }
}

TEST_CASE("a tag that is gone is no failure of its upstream") {
  const Release before(10);
  const Release after(20);
  Scene scene;
  scene.publish_all(after);
  scene.point("2", after.index);
  scene.was_pulled("1", before.index.digest, {amd64, arm64}, 1000);
  scene.was_pulled("2", before.index.digest, {amd64}, 999);
  scene.start();
  CHECK(comes_true([&] { return scene.has(after.images[0]); }));
  CHECK(scene.bench.upstream.count("HEAD", manifest_path("hi", "1")) == 1);
}

TEST_CASE("a virtual image that nobody may have is not fetched ahead") {
  const Release before(10);
  const ImageName member{.upstream = "docker.io", .repository = *Repository::parse("arm64v8/hi")};
  VirtualImage made{.name = hi(), .tag = {}, .members = {}};
  made.members.push_back({.platform = *Platform::parse(amd64), .image = hi()});
  made.members.push_back({.platform = *Platform::parse(arm64), .image = member});
  Scene scene({made});
  scene.bench.settings.access.rules.push_back(
      {.match = member.str(), .access = proxy::Settings::Access::client});
  scene.point("1", before.index);
  scene.was_pulled("1", before.index.digest, {arm64}, 1000);
  const ImageName calm{.upstream = "docker.io", .repository = *Repository::parse("calm")};
  publish(scene.bench.upstream, "calm", before.index, "1");
  scene.seen->note(calm, *Tag::parse("1"), *Platform::parse(arm64), proxy::unix_now());
  scene.start();
  CHECK(scene.bench.upstream.wait_for("HEAD", manifest_path("calm", "1")));
  CHECK(scene.bench.upstream.count("HEAD", manifest_path("hi", "1")) == 0);
  CHECK(scene.bench.upstream.count("HEAD", manifest_path("arm64v8/hi", "1")) == 0);
}

TEST_CASE("tags of upstreams that are not configured any more are left out") {
  const Release before(10);
  Scene scene;
  scene.publish_all(before);
  scene.point("1", before.index);
  const ImageName gone{.upstream = "gone.test", .repository = *Repository::parse("hi")};
  scene.seen->note(gone, *Tag::parse("1"), *Platform::parse(amd64), proxy::unix_now());
  scene.was_pulled("1", before.index.digest, {amd64}, 1000);
  scene.start();
  CHECK(scene.looked_at("1"));
}

}  // namespace
}  // namespace archway::test
