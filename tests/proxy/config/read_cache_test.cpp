#include "proxy/config/read.hpp"
#include "tests/proxy/config/reading.hpp"

#include <chrono>
#include <doctest/doctest.h>
#include <string>

namespace archway::proxy {
namespace {

TEST_CASE("cache settings that cannot be are reported") {
  const BadRow rows[] = {
      {"a cache too small to be one", "cache: {max_size: 1MiB}\n",
       "1:19: cache.max_size: found \"1MiB\"; allowed: 0 (no limit of its own), or 16MiB and more"},
      {"a word for durability", "cache: {durability: fast}\n",
       "1:21: cache.durability: found \"fast\"; allowed: strict or relaxed"},
      {"a boolean for durability", "cache: {durability: true}\n",
       "1:21: cache.durability: found \"true\"; allowed: strict or relaxed"},
      {"a scrub that never ends", "cache: {scrub: 5m}\n",
       "1:16: cache.scrub: found \"5m\"; allowed: none, or 1h and more"},
      {"nothing left out", "cache:\n  directory: /a\n  dir: /b\n",
       "3:3: found the unknown key \"dir\" in cache; did you mean directory?"},
  };
  check_refused(rows);
}

TEST_CASE("cache settings are read") {
  const Settings settings = settings_of(
      "cache: {directory: /srv/cache/../a, max_size: 50GiB, keep_free: 1GiB, durability: "
      "relaxed}\n");
  CHECK(settings.cache.directory == "/srv/a");
  CHECK(settings.cache.max_size == 50ULL << 30);
  CHECK(settings.cache.keep_free == 1ULL << 30);
  CHECK_FALSE(settings.cache.strict);
  CHECK(settings.cache.pin.empty());
}

TEST_CASE("what is pinned is a list of patterns") {
  const auto settings = settings_of("cache: {pin: [\"docker.io/library/alpine:3*\", \"*\"]}\n");
  CHECK(settings.cache.pin == std::vector<std::string>{"docker.io/library/alpine:3*", "*"});
}

TEST_CASE("blobs are hashed again every month, or as often as is said, or never") {
  CHECK(settings_of("cache: {}").cache.scrub == std::chrono::days(30));
  CHECK(settings_of("cache: {scrub: 36h}").cache.scrub == std::chrono::hours(36));
  CHECK(settings_of("cache: {scrub: none}").cache.scrub.count() == 0);
  CHECK(settings_of("cache: {scrub: 0}").cache.scrub.count() == 0);
}

TEST_CASE("no limit and the smallest limit are both possible") {
  CHECK(settings_of("cache: {max_size: 0}").cache.max_size == 0);
  CHECK(settings_of("cache: {max_size: 16MiB}").cache.max_size == 16ULL << 20);
}

}  // namespace
}  // namespace archway::proxy
