#include "cache/index_check.hpp"

#include "cache/index_file.hpp"
#include "tests/cache/support.hpp"

#include <doctest/doctest.h>
#include <string>

namespace archway::cache {
namespace {

using namespace std::chrono_literals;

/// An index with two pages of tags, closed in order or not.
void make(const testing::TempDir& dir, bool in_order) {
  auto file = open_index_file(dir.path());
  REQUIRE(file);
  for (int i = 0; i < 2; ++i) {  // The second time there are free pages.
    lmdb::WriteTxn txn(*file->environment);
    for (int tag = 100; tag < 160; ++tag) {
      const auto key = "tag" + std::to_string(tag);
      txn.put(lmdb::Table::tags, key, codec::ValueWriter().text(std::string(90, 't')).seal(key));
    }
    REQUIRE(txn.commit() == 0);
  }
  if (in_order) REQUIRE(mark_index(*file->environment, true, 0) == 0);
}

TEST_CASE("an index says whether it was closed in order, and is not changed by the look") {
  for (const bool in_order : {true, false}) {
    const testing::TempDir dir;
    make(dir, in_order);
    const auto before = testing::read_text(dir / "data.mdb");
    CHECK(check_index(dir / "data.mdb", 1h) ==
          (in_order ? Finding::sound_and_clean : Finding::sound));
    CHECK(testing::read_text(dir / "data.mdb") == before);
    CHECK(testing::entries(dir.path()) == 2);  // With the lock file of its last user.
  }
}

TEST_CASE("a flipped bit in a record is damage, unless the time for a clean index is over before") {
  const testing::TempDir dir;
  make(dir, true);
  REQUIRE(testing::flip_bits(dir / "data.mdb", std::string(90, 't')) > 0);
  CHECK(check_index(dir / "data.mdb", 1h) == Finding::damaged);
  const testing::TempDir open;
  make(open, false);
  REQUIRE(testing::flip_bits(open / "data.mdb", std::string(90, 't')) > 0);
  CHECK(check_index(open / "data.mdb", 0h) == Finding::damaged);
}

TEST_CASE("a value that is sealed under another key is damage") {
  const testing::TempDir dir;
  auto file = open_index_file(dir.path());
  REQUIRE(file);
  lmdb::WriteTxn txn(*file->environment);
  txn.put(lmdb::Table::tags, "key", codec::ValueWriter().text("value").seal("another"));
  REQUIRE(txn.commit() == 0);
  CHECK(check_index(dir / "data.mdb", 1h) == Finding::damaged);
}

TEST_CASE("what is no index, or cannot be looked at, is told apart") {
  const testing::TempDir dir;
  testing::write_text(dir / "garbage", std::string(9'999, 'g'));
  CHECK(check_index(dir / "garbage", 1h) == Finding::damaged);
  CHECK(check_index(dir / "none", 1h) == Finding::unreadable);
  {
    const auto made = lmdb::Environment::open(dir.path(), 1 << 20);
    REQUIRE(made.code == 0);
    CHECK(check_index(dir / "data.mdb", 1h) == Finding::sound);  // Its maker came no further.
    REQUIRE(made.environment->make_tables("no header", "of ours") == 0);
  }
  CHECK(check_index(dir / "data.mdb", 1h) == Finding::foreign);
  testing::fs::permissions(dir / "data.mdb", testing::fs::perms::none);
  testing::fs::permissions(dir.path(), testing::fs::perms{0755});
  const testing::Unprivileged nobody;
  CHECK(check_index(dir / "data.mdb", 1h) == Finding::unreadable);
}

}  // namespace
}  // namespace archway::cache
