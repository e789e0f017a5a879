#include "proxy/pull/single_platforms.hpp"

#include <doctest/doctest.h>
#include <string>

namespace archway::proxy {
namespace {

Digest digest(char digit) {
  return *Digest::parse("sha256:" + std::string(64, digit));
}

const Platform arm64{.os = "linux", .architecture = "arm64"};

TEST_CASE("what a config said is remembered, also that it said nothing") {
  SinglePlatforms platforms;
  CHECK_FALSE(platforms.find(digest('1')));
  platforms.remember(digest('1'), {.runs_on = arm64});
  platforms.remember(digest('2'), {});
  REQUIRE(platforms.find(digest('1')));
  CHECK(platforms.find(digest('1'))->runs_on == arm64);
  REQUIRE(platforms.find(digest('2')));
  CHECK_FALSE(platforms.find(digest('2'))->runs_on);
  CHECK_FALSE(platforms.find(digest('3')));
}

TEST_CASE("the oldest make room, and saying a thing again does not") {
  SinglePlatforms platforms(2);
  platforms.remember(digest('1'), {.runs_on = arm64});
  platforms.remember(digest('2'), {});
  platforms.remember(digest('2'), {});
  CHECK(platforms.find(digest('1')));
  platforms.remember(digest('3'), {});
  CHECK_FALSE(platforms.find(digest('1')));
  CHECK(platforms.find(digest('2')));
  CHECK(platforms.find(digest('3')));
}

TEST_CASE("a config is read in the background by one at a time") {
  SinglePlatforms platforms;
  auto first = platforms.claim(digest('1'));
  CHECK(first);
  CHECK_FALSE(platforms.claim(digest('1')));
  CHECK(platforms.claim(digest('2')));
  {
    const auto moved = *std::move(first);
    first.reset();  // What is left of it holds nothing any more.
    CHECK_FALSE(platforms.claim(digest('1')));
  }
  CHECK(platforms.claim(digest('1')));
}

}  // namespace
}  // namespace archway::proxy
