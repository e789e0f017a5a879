#include "cache/ghosts.hpp"

#include <doctest/doctest.h>

namespace archway::cache {
namespace {

constexpr std::uint64_t mib = 1024 * 1024;
constexpr std::uint64_t far = 1 << 30;

TEST_CASE("who was evicted is remembered once, and nobody else is") {
  Ghosts ghosts;
  CHECK_FALSE(ghosts.take(7, far));
  ghosts.add(7, mib);
  CHECK_FALSE(ghosts.take(8, far));
  CHECK(ghosts.take(7, far));
  CHECK_FALSE(ghosts.take(7, far));
}

TEST_CASE("what was evicted since counts, not what went itself") {
  struct Row {
    const char* why;
    std::uint64_t since;
    std::uint64_t reach;
    bool want;
  };
  for (const auto& row :
       {Row{"nothing since", 0, 0, true}, Row{"as much as the reach", 4 * mib, 4 * mib, true},
        Row{"more than the reach", 4 * mib, 4 * mib - 4096, false}}) {
    CAPTURE(row.why);
    Ghosts ghosts;
    ghosts.add(1, 100 * mib);
    ghosts.add(2, row.since);
    CHECK(ghosts.take(1, row.reach) == row.want);
  }
}

TEST_CASE("who is evicted again is remembered from then on") {
  Ghosts ghosts;
  ghosts.add(1, mib);
  ghosts.add(2, 10 * mib);
  ghosts.add(1, mib);
  CHECK(ghosts.take(1, 0));
  CHECK_FALSE(ghosts.take(1, far));
}

TEST_CASE("when there is no place left the oldest is forgotten") {
  Ghosts ghosts;
  constexpr std::uint64_t step = 1 << 20;  // These hashes all have the same few places.
  for (std::uint64_t i = 1; i <= 9; ++i) ghosts.add(i * step, mib);
  CHECK_FALSE(ghosts.take(step, far));
  for (std::uint64_t i = 2; i <= 9; ++i) {
    CAPTURE(i);
    CHECK(ghosts.take(i * step, far));
  }
}

TEST_CASE("more places are made without forgetting anybody") {
  Ghosts ghosts;
  for (std::uint64_t i = 1; i <= 40; ++i) ghosts.add(i * 0x9e3779b1, mib);
  ghosts.hold(10'000);
  for (std::uint64_t i = 1; i <= 40; ++i) {
    CAPTURE(i);
    CHECK(ghosts.take(i * 0x9e3779b1, far));
  }
}

TEST_CASE("a hash whose lower half is zero is one like any other") {
  Ghosts ghosts;
  const std::uint64_t odd = std::uint64_t{5} << 32;
  CHECK_FALSE(ghosts.take(odd, far));
  ghosts.add(odd, mib);
  CHECK(ghosts.take(odd, far));
}

}  // namespace
}  // namespace archway::cache
