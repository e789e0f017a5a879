#include "proxy/command/pulled_image.hpp"

#include "tests/proxy/command/pull_bench.hpp"

#include <doctest/doctest.h>
#include <string>
#include <vector>

namespace archway::proxy {
namespace {

const auto amd64 = test::make_image("linux/amd64", "for amd64");
const auto arm64 = test::make_image("linux/arm64", "for arm64");
const auto arm = test::make_image("linux/arm/v7", "for arm");
const auto index_of_three = test::make_index({amd64, arm64, arm});
constexpr const char* repository = "docker.io/library/app";

void publish_three(PullBench& bench) {
  for (const auto& image : {amd64, arm64, arm}) bench.gateway.hold(repository, image);
  test::publish(bench.gateway, repository, index_of_three, "1");
}

Result<PulledImage> fetch(PullBench& bench, const std::string& name,
                          const std::vector<Platform>& platforms = {}) {
  auto pull = bench.open();
  const auto image = read_gateway_image(name, pull.gateway);
  REQUIRE(image);
  return pull.session->run(fetch_image(pull.registry, *image, platforms));
}

std::vector<std::string> digests_of(const std::vector<Descriptor>& blobs) {
  std::vector<std::string> digests;
  for (const auto& blob : blobs) digests.push_back(blob.digest.str());
  return digests;
}

TEST_CASE("an index is fetched for the platforms that are wanted") {
  PullBench bench;
  publish_three(bench);
  const auto image =
      fetch(bench, "app:1", {*Platform::parse("linux/arm64"), *Platform::parse("linux/arm64/v9")});
  REQUIRE(image);
  CHECK(image->top.bytes == index_of_three.bytes);
  REQUIRE(image->below.size() == 1);
  CHECK(image->below[0].bytes == arm64.manifest.bytes);
  CHECK(image->platforms == std::vector<std::string>{"linux/arm64"});
  CHECK(digests_of(image->blobs) ==
        std::vector{test::digest_of(arm64.config), test::digest_of(arm64.layer)});
  CHECK(bench.gateway.count("GET", test::manifest_path(repository, amd64.manifest.digest)) == 0);
}

TEST_CASE("without a platform all of an index is fetched") {
  PullBench bench;
  publish_three(bench);
  const auto image = fetch(bench, "app:1");
  REQUIRE(image);
  CHECK(image->below.size() == 3);
  CHECK(image->blobs.size() == 6);
  CHECK(image->platforms == std::vector<std::string>{"linux/amd64", "linux/arm64", "linux/arm/v7"});
}

TEST_CASE("what the gateway may not hand out is left out, unless it was asked for") {
  PullBench bench;
  for (const auto& image : {amd64, arm}) bench.gateway.hold(repository, image);
  bench.gateway.on(test::manifest_path(repository, arm64.manifest.digest))
      .answer(403)
      .error("DENIED", "linux/arm64 is not allowed");
  test::publish(bench.gateway, repository, index_of_three, "1");
  const auto all = fetch(bench, "app:1");
  REQUIRE(all);
  CHECK(all->below.size() == 2);
  REQUIRE(all->left_out.size() == 1);
  CHECK(contains(all->left_out[0], "linux/arm64"));
  const auto one = fetch(bench, "app:1", {*Platform::parse("linux/arm64")});
  REQUIRE_FALSE(one);
  CHECK(one.error().code == Errc::denied);
}

TEST_CASE("a platform that is not there is told; when none is there, that is a failure") {
  PullBench bench;
  publish_three(bench);
  const auto some =
      fetch(bench, "app:1", {*Platform::parse("linux/amd64"), *Platform::parse("linux/s390x")});
  REQUIRE(some);
  CHECK(some->not_there == std::vector<std::string>{"linux/s390x"});
  const auto none = fetch(bench, "app:1", {*Platform::parse("linux/s390x")});
  REQUIRE_FALSE(none);
  CHECK(none.error().code == Errc::manifest_unknown);
  CHECK(contains(none.error().message, "there are linux/amd64, linux/arm64, linux/arm/v7"));
}

TEST_CASE("a single image is what it is") {
  PullBench bench;
  bench.gateway.hold(repository, amd64, "1");
  const auto image = fetch(bench, "app:1", {*Platform::parse("linux/arm64")});
  REQUIRE(image);
  CHECK(image->below.empty());
  CHECK(image->blobs.size() == 2);
}

TEST_CASE("failures name the image") {
  PullBench bench;
  const auto gone = fetch(bench, "app:1");
  REQUIRE_FALSE(gone);
  CHECK(contains(gone.error().message, "docker.io/library/app:1"));
  test::publish(bench.gateway, repository, index_of_three, "1");
  const auto half = fetch(bench, "app:1");
  REQUIRE_FALSE(half);
  CHECK(contains(half.error().message, "docker.io/library/app:1"));
}

}  // namespace
}  // namespace archway::proxy
