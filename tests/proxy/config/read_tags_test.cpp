#include "proxy/config/read.hpp"
#include "tests/proxy/config/reading.hpp"

#include <chrono>
#include <doctest/doctest.h>
#include <string>

namespace archway::proxy {
namespace {

TEST_CASE("tag rules that cannot be are reported") {
  const BadRow rows[] = {
      {"a text for rules", "tags: {rules: everything}\n",
       "1:15: tags.rules: found \"everything\"; allowed: a list of rules with match and fresh_for"},
      {"no pattern", "tags: {rules: [{fresh_for: 5m}]}\n",
       "1:16: tags.rules[0]: the key match is missing"},
      {"no time", "tags: {rules: [{match: \"docker.io/*\"}]}\n",
       "1:16: tags.rules[0]: one of fresh_for, stale_for and serve_deleted is missing"},
      {"an unclosed bracket", "tags: {rules: [{match: \"docker.io/a:[0-9\", fresh_for: 5m}]}\n",
       "1:24: tags.rules[0].match: found \"docker.io/a:[0-9\"; the [ is never closed by a ]"},
      {"a bracket that holds only itself",
       "tags: {rules: [{match: \"docker.io/a:[]\", fresh_for: 5m}]}\n",
       "1:24: tags.rules[0].match: found \"docker.io/a:[]\"; the [ is never closed by a ]"},
      {"a lone backslash", "tags: {rules: [{match: 'docker.io/a\\', fresh_for: 5m}]}\n",
       "1:24: tags.rules[0].match: found \"docker.io/a\\\\\"; the \\ at its end escapes nothing"},
      {"a blank in a pattern", "tags: {rules: [{match: \"docker.io/a b\", fresh_for: 5m}]}\n",
       "1:24: tags.rules[0].match: found \"docker.io/a b\"; image names have no blanks and no "
       "characters outside ASCII"},
      {"no upstream in a pattern", "tags: {rules: [{match: \"alpine:latest\", fresh_for: 5m}]}\n",
       "1:24: tags.rules[0].match: found \"alpine:latest\"; it names no upstream; write "
       "docker.io/library/alpine, for example"},
      {"an empty pattern", "tags: {rules: [{match: \"\", fresh_for: 5m}]}\n",
       "1:24: tags.rules[0].match: found \"\"; allowed: a pattern such as "
       "docker.io/library/*:latest"},
      {"a pattern that is too long",
       "tags: {rules: [{match: "
       "\"docker.io/"
       "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
       "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
       "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
       "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
       "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
       "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\", fresh_for: 5m}]}\n",
       "1:24: tags.rules[0].match: found "
       "\"docker.io/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...\"; a pattern has at most "
       "512 bytes"},
      {"a time that is none", "tags: {rules: [{match: \"docker.io/*\", fresh_for: always}]}\n",
       "1:50: tags.rules[0].fresh_for: found \"always\"; allowed: a whole number and one of ms, s, "
       "m, h, d, such as 25s"},
      {"no network", "tags: {no_cache_from: [everybody]}\n",
       "1:24: tags.no_cache_from[0]: \"everybody\" is not a network: write it like 10.20.0.0/16 or "
       "fd00::/8"},
      {"too long without a look", "tags: {absent_for: 6m}\n",
       "1:20: tags.absent_for: found \"6m\"; allowed: 0 to 5m"},
      {"half a second", "tags: {fresh_for: 500ms}\n",
       "1:19: tags.fresh_for: found \"500ms\"; allowed: whole seconds"},
      {"too long a time", "tags: {stale_for: 3651d}\n",
       "1:19: tags.stale_for: found \"3651d\"; allowed: 0 to 3650d"},
  };
  check_refused(rows);
}

TEST_CASE("tag rules are read in their order") {
  const Settings settings = settings_of(
      "tags:\n  fresh_for: 0\n  stale_for: 1d\n  rules:\n"
      "    - {match: \"docker.io/library/*:[0-9]*.[0-9]*.[0-9]*\", fresh_for: 7d}\n"
      "    - {match: '*:latest', fresh_for: 1m}\n"
      "    - {match: 'a.lan/[]x]\\*:?', fresh_for: 1h}\n"
      "    - {match: 'a.lan/[!]x]:?', fresh_for: 1h}\n");
  CHECK(settings.tags.fresh_for == std::chrono::seconds(0));
  CHECK(settings.tags.stale_for == std::chrono::hours(24));
  REQUIRE(settings.tags.rules.size() == 4);
  CHECK(settings.tags.rules[0].match == "docker.io/library/*:[0-9]*.[0-9]*.[0-9]*");
  CHECK(settings.tags.rules[0].changes.fresh_for == std::chrono::hours(24 * 7));
  CHECK(settings.tags.rules[1].match == "*:latest");
  CHECK_FALSE(settings.tags.rules[1].changes.stale_for);
  CHECK(settings.tags.absent_for == std::chrono::seconds(10));
  CHECK_FALSE(settings.tags.serve_deleted);
}

TEST_CASE("what is served without an upstream's blessing is said per tag, upstream or for all") {
  const auto settings = settings_of(
      "upstreams:\n  - {name: ghcr.io, tags: {fresh_for: 1h, serve_deleted: true}}\n"
      "tags:\n  serve_deleted: true\n  absent_for: 0\n  no_cache_from: [10.0.0.0/8, ::1]\n"
      "  rules: [{match: 'ghcr.io/a:*', stale_for: 90d}, {match: '*', serve_deleted: false}]\n");
  const auto& tags = settings.tags;
  CHECK(tags.serve_deleted);
  CHECK(tags.absent_for == std::chrono::seconds(0));
  REQUIRE(tags.no_cache_from.size() == 2);
  CHECK(tags.no_cache_from[0].str() == "10.0.0.0/8");
  REQUIRE(tags.upstreams.count("ghcr.io") == 1);
  CHECK(tags.upstreams.at("ghcr.io").fresh_for == std::chrono::hours(1));
  CHECK(tags.upstreams.at("ghcr.io").serve_deleted == true);
  CHECK_FALSE(tags.upstreams.at("ghcr.io").stale_for);
  REQUIRE(tags.rules.size() == 2);
  CHECK(tags.rules[0].changes.stale_for == std::chrono::hours(24 * 90));
  CHECK_FALSE(tags.rules[0].changes.fresh_for);
  CHECK(tags.rules[1].changes.serve_deleted == false);
}

}  // namespace
}  // namespace archway::proxy
