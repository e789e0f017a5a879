#include "proxy/admin/holdings.hpp"

#include "tests/proxy/admin/held_bench.hpp"

#include <doctest/doctest.h>
#include <string>

namespace archway::proxy {
namespace {

using test::HeldBench;

const auto amd64 = test::make_image("linux/amd64", "for amd64");
const auto arm64 = test::make_image("linux/arm64", "for arm64");
const auto index_of_two = test::make_index({amd64, arm64});

std::string names_of(const boost::json::array& list) {
  std::string names;
  for (const auto& each : list) names += std::string(each.at("name").as_string().c_str()) + " ";
  return names;
}

/// An index of which one platform is whole.
void hold_half(HeldBench& bench, const std::string& repository) {
  bench.keep(repository, index_of_two, {amd64.manifest.digest, arm64.manifest.digest});
  bench.keep(repository, arm64);
  bench.tag(repository, "1", index_of_two.digest);
}

TEST_CASE("what is held is listed with the platforms that are whole") {
  HeldBench bench;
  hold_half(bench, "library/app");
  const auto single = test::make_image("linux/s390x", "for s390x");
  bench.hold("library/single", "2", single);
  const auto list = bench.holdings.list("", false);
  REQUIRE(names_of(list) == "docker.io/library/app:1 docker.io/library/single:2 ");
  CHECK(list[0].at("digest").as_string() == index_of_two.digest.c_str());
  CHECK(list[0].at("platforms") == boost::json::array{"linux/arm64"});
  CHECK(list[0].at("bytes") == index_of_two.bytes.size() + arm64.manifest.bytes.size() +
                                   arm64.config.size() + arm64.layer.size());
  CHECK(list[0].at("checked_at") == 1000);
  CHECK(list[0].at("pinned") == false);
  CHECK(list[1].at("platforms") == boost::json::array{"linux/s390x"});
}

TEST_CASE("a pattern is a part of the name, or matches the whole of it") {
  HeldBench bench;
  for (const auto* name : {"library/app", "me/app", "me/other"})
    bench.tag(name, "1", amd64.manifest.digest);
  CHECK(names_of(bench.holdings.list("app", false)) ==
        "docker.io/library/app:1 docker.io/me/app:1 ");
  CHECK(names_of(bench.holdings.list("docker.io/me/*", false)) ==
        "docker.io/me/app:1 docker.io/me/other:1 ");
  CHECK(names_of(bench.holdings.list("app*", false)).empty());
}

TEST_CASE("a tag goes with what only it led to") {
  HeldBench bench;
  bench.hold("library/app", "1", amd64);
  bench.hold("library/app", "2", arm64);
  const auto dry = bench.holdings.remove("app:1", true);
  REQUIRE(dry);
  CHECK(dry->at("blobs") == 2);
  CHECK(bench.has(amd64.layer));
  const auto removed = bench.holdings.remove("app:1", false);
  REQUIRE(removed);
  CHECK(removed->at("tags") == boost::json::array{"1"});
  CHECK(removed->at("manifests") == 1);
  CHECK(removed->at("blobs") == 2);
  CHECK(removed->at("bytes") == amd64.config.size() + amd64.layer.size());
  CHECK_FALSE(bench.has(amd64.layer));
  CHECK_FALSE(bench.has_manifest(amd64.manifest));
  CHECK(bench.has(arm64.layer));
  CHECK_FALSE(bench.cache->index().granted(HeldBench::image("library/app"),
                                           HeldBench::digest(amd64.manifest.digest)));
  CHECK(names_of(bench.holdings.list("", false)) == "docker.io/library/app:2 ");
}

TEST_CASE("a tag goes with what is attached to it, and no other tag's goes with it") {
  HeldBench bench;
  bench.hold("library/app", "1", amd64);
  bench.hold("library/app", "2", arm64);
  const auto signature = test::make_image("linux/amd64", "a signature");
  const auto of_one = "sha256-" + amd64.manifest.digest.substr(7);
  const auto of_two = "sha256-" + arm64.manifest.digest.substr(7);
  bench.hold("library/app", of_one + ".sig", signature);
  for (const auto& tag : {"_referrers-" + of_one, of_one + ".att", of_one, of_two + ".sig"}) {
    bench.tag("library/app", tag, index_of_two.digest);
  }
  const auto held = names_of(bench.holdings.list("", false));
  CHECK(held.find(of_one + ".sig") != std::string::npos);
  CHECK(held.find("_referrers") == std::string::npos);
  const auto removed = bench.holdings.remove("app:1", false);
  REQUIRE(removed);
  CHECK(removed->at("tags").as_array().size() == 5);
  CHECK_FALSE(bench.has(signature.layer));
  CHECK(names_of(bench.holdings.list("", false)) ==
        "docker.io/library/app:2 docker.io/library/app:" + of_two + ".sig ");
}

TEST_CASE("what another tag of the name or another name holds stays") {
  HeldBench bench;
  bench.hold("library/app", "1", amd64);
  bench.tag("library/app", "latest", amd64.manifest.digest);
  bench.hold("me/copy", "1", arm64);
  bench.hold("library/app", "arm", arm64);
  const auto one = bench.holdings.remove("app:1", false);
  REQUIRE(one);
  CHECK(one->at("blobs") == 0);
  CHECK(bench.has(amd64.layer));
  const auto shared = bench.holdings.remove("app:arm", false);
  REQUIRE(shared);
  CHECK(shared->at("blobs") == 0);
  CHECK(bench.has(arm64.layer));
  CHECK(bench.has_manifest(arm64.manifest));
}

TEST_CASE("an image goes with all its tags and all that was asked for by digest") {
  HeldBench bench;
  bench.hold("library/app", "1", amd64);
  bench.keep("library/app", arm64);
  const auto removed = bench.holdings.remove("app", false);
  REQUIRE(removed);
  CHECK(removed->at("blobs") == 4);
  CHECK_FALSE(bench.has(arm64.layer));
  const auto again = bench.holdings.remove("app", false);
  REQUIRE_FALSE(again);
  CHECK(again.error().code == Errc::manifest_unknown);
}

TEST_CASE("a digest takes the tags along that mean it") {
  HeldBench bench;
  bench.hold("library/app", "1", amd64);
  const auto removed = bench.holdings.remove("app@" + amd64.manifest.digest, false);
  REQUIRE(removed);
  CHECK(removed->at("tags") == boost::json::array{"1"});
  CHECK_FALSE(bench.has(amd64.layer));
}

TEST_CASE("what is pinned stays until it is unpinned") {
  HeldBench bench;
  bench.hold("library/app", "1", amd64);
  bench.hold("library/app", "2", arm64);
  REQUIRE(bench.holdings.pin("app:1"));
  CHECK(names_of(bench.holdings.list("", true)) == "docker.io/library/app:1 ");
  for (const auto* name : {"app:1", "app"}) {
    const auto refused = bench.holdings.remove(name, false);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Errc::denied);
  }
  REQUIRE(bench.holdings.unpin("app:1"));
  CHECK(bench.holdings.list("", true).empty());
  CHECK(bench.holdings.remove("app", false));
  const auto none = bench.holdings.unpin("app:1");
  REQUIRE_FALSE(none);
  CHECK(none.error().code == Errc::manifest_unknown);
}

TEST_CASE("what the configuration pins is pinned") {
  HeldBench bench;
  bench.hold("library/app", "1", amd64);
  bench.hold("library/app", "2", arm64);
  Holdings holdings(bench.cache.get(), &bench.names,
                    [](const ImageName&, const Tag& tag) { return tag.str() == "1"; });
  CHECK(names_of(holdings.list("", true)) == "docker.io/library/app:1 ");
  for (const auto* name : {"app:1", "app"}) {
    const auto refused = holdings.remove(name, false);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().message.find("cache.pin") != std::string::npos);
  }
  CHECK(holdings.remove("app:2", false));
}

TEST_CASE("a name without a tag is pinned as it is held, and unpinned whole") {
  HeldBench bench;
  bench.hold("library/app", "1", amd64);
  bench.hold("library/app", "2", arm64);
  const auto pinned = bench.holdings.pin("app");
  REQUIRE(pinned);
  CHECK(pinned->at("pinned").as_array().size() == 2);
  REQUIRE(bench.holdings.pin("other@" + amd64.manifest.digest));
  CHECK(names_of(bench.holdings.list("other", true)) ==
        "docker.io/library/other@" + amd64.manifest.digest + " ");
  const auto unpinned = bench.holdings.unpin("app");
  REQUIRE(unpinned);
  CHECK(unpinned->at("unpinned").as_array().size() == 2);
  CHECK_FALSE(bench.holdings.pin("nothing"));
  CHECK_FALSE(bench.holdings.pin("ghcr.io/no/upstream:1"));
}

TEST_CASE("verify says in numbers what it found") {
  HeldBench bench;
  bench.hold("library/app", "1", amd64);
  const auto found = bench.holdings.verify({});
  CHECK(found.at("right") == true);
  CHECK(found.at("blobs") == 2);
  const auto stopped = bench.holdings.verify([](std::uint64_t, std::uint64_t) { return false; });
  CHECK(stopped.at("stopped") == true);
  CHECK(stopped.at("right") == false);
  CHECK(bench.holdings.collect());
  CHECK(bench.holdings.stats().at("blobs") == 2);
}

}  // namespace
}  // namespace archway::proxy
