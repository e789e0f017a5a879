#include "cache/space_keeper.hpp"

#include "cache/file_error.hpp"
#include "tests/cache/kept_space.hpp"
#include "tests/cache/numbered.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <limits>
#include <string>
#include <unistd.h>

namespace archway::cache {
namespace {

using testing::Disk;
using testing::Kept;
using testing::numbered;

TEST_CASE("room is made when the limit would be passed, down to 95 % of it") {
  struct Row {
    const char* why;
    SpaceLimits limits;
    std::uint64_t disk;
    std::uint64_t others;
    std::uint32_t blobs;  ///< of 10 bytes each, before
    std::uint64_t wanted;
    bool fits;
    std::uint32_t left;  ///< blobs
  };
  const std::uint64_t huge = 1 << 30;
  for (const auto& row : {
           Row{"no limit", {}, huge, 0, 100, huge * 8, true, 100},
           Row{"there is room", {.max_size = 1000}, huge, 0, 90, 100, true, 90},
           Row{"one byte too much", {.max_size = 1000}, huge, 0, 90, 101, true, 84},
           Row{"as large as the limit", {.max_size = 1000}, huge, 0, 90, 1000, true, 0},
           Row{"larger than the limit", {.max_size = 1000}, huge, 0, 90, 1001, false, 90},
           Row{"the disk has room", {.keep_free = 200}, 2000, 800, 90, 100, true, 90},
           Row{"too little would stay free", {.keep_free = 200}, 2000, 800, 90, 101, true, 84},
           Row{"not even in an empty cache", {.keep_free = 200}, 2000, 800, 90, 1001, false, 90},
           Row{"others have the disk", {.keep_free = 200}, 2000, 1800, 0, 1, false, 0},
           Row{"the smaller limit counts",
               {.max_size = 950, .keep_free = 200},
               2000,
               800,
               90,
               51,
               true,
               85},
           Row{"the other one, too",
               {.max_size = 5000, .keep_free = 200},
               2000,
               800,
               90,
               101,
               true,
               84},
       }) {
    CAPTURE(row.why);
    Kept kept(row.limits, {.size = row.disk, .others = row.others});
    kept.publish_all(row.blobs, 10);
    const auto reservation = kept.keeper.reserve(row.wanted);
    CHECK(reservation.has_value() == row.fits);
    if (!reservation) CHECK(says_full(reservation.error()));
    CHECK(kept.disk.blobs.size() == row.left);
    CHECK(kept.keeper.usage().published == row.left * 10);
    CHECK(kept.keeper.usage().reserved == (row.fits ? row.wanted : 0));
    CHECK(kept.policy.bytes() == row.left * 10);
  }
}

TEST_CASE("a reservation is given back by its end, and a published one becomes a blob") {
  Kept kept({.max_size = 100});
  {
    const auto reservation = kept.keeper.reserve(60);
    REQUIRE(reservation);
    CHECK(kept.keeper.usage().reserved == 60);
    const auto second = kept.keeper.reserve(60);
    REQUIRE_FALSE(second);
    CHECK(says_full(second.error()));
  }
  CHECK(kept.keeper.usage().reserved == 0);
  auto reservation = kept.keeper.reserve(60);
  REQUIRE(reservation);
  auto moved = *std::move(reservation);
  moved.publish({.digest = numbered(1), .size = 50});
  CHECK(kept.keeper.usage().reserved == 0);
  CHECK(kept.keeper.usage().published == 50);
  moved.publish({.digest = numbered(1), .size = 50});
  CHECK(kept.keeper.usage().published == 50);
}

TEST_CASE("a fill of unknown size grows as long as room can be made") {
  Kept kept({.max_size = 100});
  kept.publish_all(9, 10);
  auto reservation = kept.keeper.reserve(0);
  REQUIRE(reservation);
  for (std::uint64_t bytes = 7; bytes <= 100; bytes += 7) {
    REQUIRE(reservation->grow_to(bytes));
    CHECK(reservation->bytes() == bytes);
    REQUIRE(reservation->grow_to(bytes - 1));
    CHECK(reservation->bytes() == bytes);
    CHECK(kept.keeper.usage().published + bytes <= 100);
  }
  const auto grown = reservation->grow_to(101);
  REQUIRE_FALSE(grown);
  CHECK(says_full(grown.error()));
  CHECK(reservation->bytes() == 98);
}

TEST_CASE("what is in partial files is not taken for what others use") {
  Kept kept({.keep_free = 100}, {.size = 1100});
  auto reservation = kept.keeper.reserve(600);
  REQUIRE(reservation);
  CHECK_FALSE(kept.keeper.reserve(401));  // Nothing of the 600 is missing yet on the disk.
  kept.disk.parts = 600;
  reservation->on_disk(600);
  CHECK_FALSE(kept.keeper.reserve(401));
  CHECK(kept.keeper.reserve(400));
  kept.disk.parts = 0;
  kept.disk.blobs[numbered(1)] = 600;
  reservation->publish({.digest = numbered(1), .size = 600});
  CHECK(kept.keeper.reserve(400));
  CHECK(kept.disk.blobs.size() == 1);
}

TEST_CASE("others that fill the disk are answered when room is asked for, even for nothing") {
  Kept kept({.keep_free = 100}, {.size = 1100});
  kept.publish_all(50, 10);
  REQUIRE(kept.keeper.make_room(0));
  CHECK(kept.disk.blobs.size() == 50);
  kept.disk.others = 600;
  REQUIRE(kept.keeper.make_room(0));
  CHECK(kept.disk.blobs.size() == 38);
  CHECK(kept.keeper.usage().reserved == 0);
  CHECK(kept.keeper.usage().evicted_blobs == 12);
  CHECK(kept.keeper.usage().evicted_bytes == 120);
}

TEST_CASE("a file system that shows freed room late does not cost the whole cache") {
  Kept kept({.keep_free = 100}, {.size = 1100, .shows_freed = false});
  kept.publish_all(90, 10);
  const auto reservation = kept.keeper.reserve(200);
  REQUIRE_FALSE(reservation);
  CHECK(says_full(reservation.error()));
  CHECK(kept.disk.blobs.size() == 75);
  kept.disk.hidden = 0;
  CHECK(kept.keeper.reserve(200));
  CHECK(kept.disk.blobs.size() == 75);
}

TEST_CASE("a file system that does not tell what is free leaves the limit of the size") {
  Disk disk;
  Eviction policy;
  auto seen = disk.seen();
  seen.free_bytes = [] { return std::optional<std::uint64_t>(); };
  SpaceKeeper keeper({.max_size = 100, .keep_free = 50}, 0, &policy, seen);
  CHECK(keeper.reserve(100));
  CHECK_FALSE(keeper.reserve(101));
}

TEST_CASE("what may not go stays, and too little room is refused") {
  Kept kept({.max_size = 100});
  kept.publish_all(10, 10);
  for (std::uint32_t number = 0; number < 8; ++number) kept.disk.kept.insert(numbered(number));
  const auto reservation = kept.keeper.reserve(21);
  REQUIRE_FALSE(reservation);
  CHECK(says_full(reservation.error()));
  CHECK(kept.disk.blobs.size() == 8);
  CHECK(kept.keeper.reserve(20));
}

TEST_CASE("when nothing can be evicted its error is told, and everything stays known") {
  Kept kept({.max_size = 100});
  kept.publish_all(10, 10);
  kept.disk.broken = true;
  const auto reservation = kept.keeper.reserve(50);
  REQUIRE_FALSE(reservation);
  CHECK(reservation.error().message == "broken");
  CHECK(kept.policy.bytes() == 100);
  CHECK(kept.keeper.usage().published == 100);
  kept.disk.broken = false;
  CHECK(kept.keeper.reserve(50));
}

TEST_CASE(
    "memory that runs out while room is made costs no blob, and the next caller has its room") {
  Kept kept({.max_size = 100});
  kept.publish_all(10, 10);
  kept.disk.no_memory = true;
  for (int i = 0; i < 3; ++i) {
    const auto refused = kept.keeper.reserve(20);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().retryable);
    CHECK_FALSE(kept.keeper.free_up(10));
  }
  CHECK(kept.disk.blobs.size() == 10);
  CHECK(kept.policy.bytes() == 100);
  CHECK(kept.keeper.usage().published == 100);
  kept.disk.no_memory = false;
  CHECK(kept.keeper.reserve(20));
  CHECK(kept.disk.blobs.size() == 7);
}

TEST_CASE("blobs that were there before count at once, and go when the policy knows them") {
  Disk disk;
  Eviction policy;
  SpaceKeeper keeper({.max_size = 100}, 100, &policy, disk.seen());
  CHECK_FALSE(keeper.reserve(10));
  for (std::uint32_t number = 0; number < 10; ++number) {
    disk.blobs[numbered(number)] = 10;
    keeper.know({.digest = numbered(number), .size = 10});
  }
  CHECK(keeper.usage().published == 100);
  CHECK(keeper.reserve(10));
  CHECK(keeper.usage().published == 80);
  disk.blobs[numbered(99)] = 5;
  keeper.adopt({.digest = numbered(99), .size = 5});
  CHECK(keeper.usage().published == 85);
  keeper.forget(numbered(99), 5);
  CHECK(keeper.usage().published == 80);
  CHECK(policy.count() == 8);
}

TEST_CASE("a blob that is gone already makes no room, so another one goes") {
  Kept kept({.max_size = 100});
  kept.publish_all(10, 10);
  kept.disk.blobs.erase(numbered(0));
  kept.keeper.forget(numbered(1), 10);  // Its file stays for the moment; it is nobody's to evict.
  kept.keeper.adopt({.digest = numbered(20), .size = 10});
  CHECK(kept.keeper.reserve(10));
  CHECK(kept.keeper.usage().published == 70);
  CHECK(kept.disk.blobs.contains(numbered(1)));
}

TEST_CASE("many small blobs go in batches, and one caller does not wait for all of a huge excess") {
  Disk disk;
  Eviction policy;
  SpaceKeeper keeper({.max_size = 1'000}, 20'000, &policy, disk.seen());
  for (std::uint32_t number = 0; number < 20'000; ++number) {
    disk.blobs[numbered(number)] = 1;
    keeper.know({.digest = numbered(number), .size = 1});
  }
  CHECK_FALSE(keeper.make_room(0));
  CHECK(disk.batches == std::vector<std::size_t>(64, 256));
  CHECK(keeper.make_room(0));
  CHECK(disk.blobs.size() == 950);
}

TEST_CASE("an announced size near the end of all numbers is refused, not wrapped around") {
  Kept kept({.max_size = 100, .keep_free = 10});
  for (const auto wanted : {std::numeric_limits<std::uint64_t>::max(),
                            std::numeric_limits<std::uint64_t>::max() - 50}) {
    const auto reservation = kept.keeper.reserve(wanted);
    REQUIRE_FALSE(reservation);
    CHECK(says_full(reservation.error()));
  }
  CHECK(kept.keeper.reserve(100));
}

TEST_CASE("the file system of an open directory tells what is free") {
  const int root = ::open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  REQUIRE(root >= 0);
  CHECK(free_bytes(root));
  ::close(root);
  CHECK_FALSE(free_bytes(root));
}

}  // namespace
}  // namespace archway::cache
