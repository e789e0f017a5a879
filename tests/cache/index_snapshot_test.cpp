#include "cache/index_snapshot.hpp"

#include "cache/index_check.hpp"
#include "cache/index_file.hpp"
#include "tests/cache/support.hpp"

#include <doctest/doctest.h>
#include <string>
#include <vector>

namespace archway::cache {
namespace {

using namespace std::chrono_literals;
using testing::commit;
using testing::image;
using testing::tag;

const Digest one = *Digest::parse("sha256:" + std::string(64, '1'));
const Digest two = *Digest::parse("sha256:" + std::string(64, '2'));

std::unique_ptr<Index> open(const testing::TempDir& dir) {
  auto index = Index::open(dir.path());
  if (!index) FAIL(index.error().message);
  return *std::move(index);
}

TEST_CASE(
    "a snapshot is an index of what there was when it was taken, and replaces the one before") {
  const testing::TempDir dir;
  const testing::TempDir other;
  for (const auto& digest : {one, two}) {
    const auto index = open(dir);
    REQUIRE(commit(*index, {.grants = {{image("a"), digest}}}));
    REQUIRE(index->snapshot());
    REQUIRE(commit(*index, {.grants = {{image("later"), digest}}}));
    CHECK(check_index(dir / "snapshot.mdb", 1h) == Finding::sound);
    CHECK_FALSE(testing::fs::exists(dir / "snapshot.tmp"));
    testing::fs::copy_file(dir / "snapshot.mdb", other / "data.mdb",
                           testing::fs::copy_options::overwrite_existing);
    const auto copy = open(other);
    CHECK(copy->granted(image("a"), digest));
    CHECK(copy->granted(image("later"), two) == false);
  }
}

TEST_CASE("closing an index takes a snapshot when anything has changed since the last one") {
  const testing::TempDir dir;
  open(dir).reset();
  CHECK_FALSE(testing::fs::exists(dir / "snapshot.mdb"));
  REQUIRE(commit(*open(dir), {.grants = {{image("a"), one}}}));
  REQUIRE(testing::fs::exists(dir / "snapshot.mdb"));
  CHECK(check_index(dir / "snapshot.mdb", 1h) == Finding::sound_and_clean);
  testing::fs::remove(dir / "snapshot.mdb");
  {
    const auto index = open(dir);
    REQUIRE(commit(*index, {.grants = {{image("a"), two}}}));
    REQUIRE(index->snapshot());
    testing::fs::remove(dir / "snapshot.mdb");
  }
  CHECK_FALSE(testing::fs::exists(dir / "snapshot.mdb"));
}

TEST_CASE("an index that came from its snapshot soon has another one") {
  const testing::TempDir dir;
  REQUIRE(commit(*open(dir), {.grants = {{image("a"), one}}}));
  testing::fs::remove(dir / "data.mdb");
  {
    const auto index = open(dir);
    CHECK(index->granted(image("a"), one));
    CHECK(index->commits() == 1);
    CHECK_FALSE(testing::fs::exists(dir / "snapshot.mdb"));
  }
  CHECK(testing::fs::exists(dir / "snapshot.mdb"));
}

TEST_CASE("a snapshot that cannot be written leaves the one before and nothing else") {
  const testing::TempDir dir;
  const auto index = open(dir);
  REQUIRE(commit(*index, {.grants = {{image("a"), one}}}));
  testing::fs::create_directories(dir / "snapshot.mdb/in the way");
  const auto taken = index->snapshot();
  REQUIRE_FALSE(taken);
  CHECK(taken.error().code == Errc::storage_failed);
  CHECK(taken.error().context.find("snapshot.mdb") != std::string::npos);
  CHECK_FALSE(testing::fs::exists(dir / "snapshot.tmp"));
  testing::fs::remove_all(dir / "snapshot.mdb");
  CHECK(index->snapshot());
}

TEST_CASE(
    "a snapshot is due after a quiet minute, or ten busy ones, but not often when it is large") {
  struct Look {
    std::chrono::seconds at;  ///< since the start
    std::uint64_t commits;
    bool due;
  };
  struct Row {
    const char* why;
    std::uint64_t bytes;
    std::vector<Look> looks;
  };
  constexpr std::uint64_t mib = 1 << 20;
  const Row rows[] = {
      {"nothing ever changes", 4'096, {{5s, 0, false}, {24h, 0, false}}},
      {"one change, then quiet",
       4'096,
       {{5s, 1, false}, {64s, 1, false}, {65s, 1, true}, {70s, 1, false}, {24h, 1, false}}},
      {"a change at every look",
       4'096,
       {{5s, 1, false},
        {300s, 2, false},
        {604s, 3, false},
        {605s, 4, true},
        {700s, 5, false},
        {1299s, 6, false},
        {1300s, 7, true}}},
      {"a change after a quiet night waits for its minute, too",
       4'096,
       {{5s, 1, false}, {65s, 1, true}, {9h, 1, false}, {9h + 5s, 2, false}, {9h + 65s, 2, true}}},
      {"an hour for sixty MiB",
       60 * mib,
       {{600s, 1, false}, {3599s, 1, false}, {3600s, 1, true}, {3700s, 2, false}, {2h, 2, true}}},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    const SnapshotSchedule::Clock::time_point start{};
    SnapshotSchedule schedule(start);
    for (const auto& look : row.looks) {
      CAPTURE(look.at.count());
      CHECK(schedule.is_due(look.commits, row.bytes, start + look.at) == look.due);
    }
  }
}

}  // namespace
}  // namespace archway::cache
