#include "cache/file_error.hpp"
#include "tests/cache/kept_space.hpp"
#include "tests/cache/numbered.hpp"

#include <cstdint>
#include <doctest/doctest.h>

// What is counted when things do not go as planned.
namespace archway::cache {
namespace {

using testing::Disk;
using testing::Kept;
using testing::numbered;

TEST_CASE("what cannot go after all stays counted and known, and another one goes") {
  Kept kept({.max_size = 100});
  kept.publish_all(10, 10);
  kept.disk.busy = {numbered(0), numbered(1)};
  CHECK(kept.keeper.reserve(10));
  CHECK(kept.disk.blobs.size() == 8);
  CHECK(kept.keeper.usage().published == 80);
  CHECK(kept.keeper.usage().evicted_blobs == 2);
  CHECK(kept.policy.count() == 8);
}

TEST_CASE("a disk that is full by itself is given room, whatever the limits say") {
  Kept kept({});
  kept.publish_all(10, 1 << 20);
  REQUIRE(kept.keeper.free_up(1));
  CHECK(kept.disk.blobs.size() == 6);
  REQUIRE(kept.keeper.free_up(5 << 20));
  CHECK(kept.disk.blobs.size() == 1);
  for (const auto wanted : {std::uint64_t{1} << 21, std::uint64_t{1}}) {
    kept.disk.kept = {kept.disk.blobs.begin()->first};
    const auto freed = kept.keeper.free_up(wanted);
    REQUIRE_FALSE(freed);
    CHECK(says_full(freed.error()));
  }
  CHECK(kept.disk.blobs.size() == 1);
}

TEST_CASE("what was counted at the start and is not there is counted until all is known") {
  Disk disk;
  Eviction policy;
  SpaceKeeper keeper({.max_size = 100}, 60, &policy, disk.seen());
  keeper.know({.digest = numbered(1), .size = 20});
  keeper.know({.digest = numbered(1), .size = 20});
  keeper.forget(numbered(2), 10);
  CHECK(keeper.usage().published == 50);
  keeper.adopt({.digest = numbered(3), .size = 5});
  keeper.know_all();
  CHECK(keeper.usage().published == 25);
  keeper.forget(numbered(4), 10);
  CHECK(keeper.usage().published == 25);
  CHECK(policy.bytes() == 25);
}

}  // namespace
}  // namespace archway::cache
