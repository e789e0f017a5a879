#include "proxy/upstream/suspects.hpp"

#include <doctest/doctest.h>
#include <string>

namespace archway::proxy {
namespace {

Digest digest(char letter) {
  return *Digest::parse("sha256:" + std::string(64, letter));
}

TEST_CASE("who gave wrong bytes for a digest is a suspect for that digest, for an hour") {
  auto now = Suspects::Clock::time_point() + std::chrono::hours(1000);
  Suspects suspects([&now] { return now; });
  suspects.came_from(digest('a'), 0);
  suspects.came_from(digest('b'), 0);
  CHECK_FALSE(suspects.caught_at(digest('a'), 0));
  suspects.disbelieve(digest('a'));
  CHECK(suspects.caught_at(digest('a'), 0));
  CHECK_FALSE(suspects.caught_at(digest('a'), 1));
  CHECK_FALSE(suspects.caught_at(digest('b'), 0));
  now += Suspects::suspected_for - std::chrono::seconds(1);
  CHECK(suspects.caught_at(digest('a'), 0));
  now += std::chrono::seconds(1);
  CHECK_FALSE(suspects.caught_at(digest('a'), 0));
}

TEST_CASE("of a blob that came from two places in turn nobody knows whose bytes were wrong") {
  Suspects suspects;
  suspects.came_from(digest('a'), 0);
  suspects.came_from(digest('a'), 2);
  suspects.disbelieve(digest('a'));
  CHECK(suspects.caught_at(digest('a'), 0));
  CHECK_FALSE(suspects.caught_at(digest('a'), 1));
  CHECK(suspects.caught_at(digest('a'), 2));
  suspects.came_from(digest('a'), 1);
  CHECK_FALSE(suspects.caught_at(digest('a'), 1));
  suspects.disbelieve(digest('a'));
  CHECK(suspects.caught_at(digest('a'), 1));
  CHECK(suspects.caught_at(digest('a'), 0));
}

TEST_CASE("a place that was wrong again was caught the second time") {
  auto now = Suspects::Clock::time_point() + std::chrono::hours(1000);
  Suspects suspects([&now] { return now; });
  for (const std::size_t place : {0U, 1U, 0U}) {
    suspects.came_from(digest('a'), place);
    suspects.disbelieve(digest('a'));
    now += std::chrono::minutes(1);
  }
  CHECK(suspects.caught_at(digest('a'), 0) == now - std::chrono::minutes(1));
  CHECK(suspects.caught_at(digest('a'), 1) == now - std::chrono::minutes(2));
}

TEST_CASE("what nobody gave makes no suspects, and a place beyond the bound is never one") {
  Suspects suspects;
  suspects.disbelieve(digest('a'));
  CHECK_FALSE(suspects.caught_at(digest('a'), 0));
  suspects.came_from(digest('a'), Suspects::places_max);
  suspects.disbelieve(digest('a'));
  CHECK_FALSE(suspects.caught_at(digest('a'), Suspects::places_max));
}

}  // namespace
}  // namespace archway::proxy
