// One upstream at several places: what clients get when one of them fails, cuts, hangs or lies.

#include "tests/integration/gateway.hpp"
#include "tests/integration/images.hpp"

#include <doctest/doctest.h>
#include <string>

namespace archway::test {
namespace {

constexpr const char* repository = "library/hi";

std::string path_of(const std::string& bytes) {
  return blob_path(repository, digest_of(bytes));
}

/// A gateway whose upstream has two places.
struct Places {
  ScriptedUpstream first;
  ScriptedUpstream second;
  Gateway gateway{first};

  void start() {
    gateway.settings.upstreams.front().further_urls.push_back(*resolver::Url::parse(second.url()));
    gateway.start();
  }
};

TEST_CASE("a blob that its first place cuts goes on at the second, where it stopped") {
  const auto blob = noise(600'000);
  Places places;
  places.first.on(path_of(blob)).answer(200).body(blob).ranges().cut_after(200'000);
  places.second.on(path_of(blob)).answer(200).body(blob).ranges();
  places.start();
  const auto got = places.gateway.get(path_of(blob));
  CHECK(got.status == 200);
  CHECK(got.complete);
  CHECK((got.body == blob));
  CHECK(places.first.count("GET", path_of(blob)) == 1);
  REQUIRE(places.second.count("GET", path_of(blob)) == 1);
  CHECK(places.second.requests().back().header("Range") == "bytes=200000-");
  CHECK(places.gateway.wait_metric("archway_cache_objects{kind=\"blob\"}", 1));
}

TEST_CASE("a second place that has another size does not go on with a blob") {
  const auto blob = noise(600'000);
  Places places;
  places.first.on(path_of(blob)).answer(200).body(blob).ranges().cut_after(200'000);
  places.second.on(path_of(blob)).answer(200).body(blob + "x").ranges();
  places.start();
  const auto got = places.gateway.get(path_of(blob));
  CHECK_FALSE((got.status == 200 && got.complete));
  CHECK(places.gateway.wait_metric("archway_fills_in_progress", 0));
  CHECK(places.gateway.blobs_on_disk() == 0);
}

TEST_CASE(
    "of a place with wrong bytes nothing is kept, and the next client is served by the other") {
  const auto blob = noise(600'000);
  Places places;
  places.first.on(path_of(blob)).answer(200).body(blob).wrong_byte(300'000);
  places.second.on(path_of(blob)).answer(200).body(blob);
  places.start();
  const auto broken = places.gateway.get(path_of(blob));
  CHECK_FALSE((broken.status == 200 && broken.complete));
  CHECK(places.gateway.wait_metric("archway_fills_in_progress", 0));
  CHECK(places.gateway.blobs_on_disk() == 0);
  const auto got = places.gateway.get(path_of(blob));
  CHECK(got.complete);
  CHECK((got.body == blob));
}

TEST_CASE("a manifest with wrong bytes is asked of the other place the next time") {
  const auto image = make_image("linux/amd64", noise(1000));
  const auto path = manifest_path(repository, image.manifest.digest);
  Places places;
  places.first.on(path).answer(200).json("{}");
  publish(places.second, repository, image.manifest, "1");
  places.start();
  CHECK(places.gateway.get(path).status == 502);
  const auto got = places.gateway.get(path);
  CHECK(got.status == 200);
  CHECK(got.body == image.manifest.bytes);
}

TEST_CASE("a client is told what each place said, and 404 of the first is final") {
  Places places;
  const auto path = manifest_path(repository, "1");
  places.first.on(path).answer(500);
  places.second.on(path).answer(502);
  places.start();
  const auto got = places.gateway.get(path);
  CHECK(got.status == 502);
  CHECK(got.body.find("docker.io fails at all of its 2 places: " + places.first.url() +
                      ": answered with status 500; " + places.second.url() +
                      ": answered with status 502") != std::string::npos);

  Places strict;
  strict.first.on(path).answer(404);
  strict.second.on(path).answer(200).json("{}");
  strict.start();
  CHECK(strict.gateway.get(path).status == 404);
  CHECK(strict.second.connections() == 0);
}

}  // namespace
}  // namespace archway::test
