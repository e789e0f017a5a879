#include "cache/lmdb.hpp"

#include "tests/cache/support.hpp"

#include <doctest/doctest.h>
#include <string>
#include <vector>

namespace archway::cache {
namespace {

using lmdb::Environment;
using lmdb::ReadTxn;
using lmdb::Table;
using lmdb::WriteTxn;

constexpr std::uint64_t small_map = 1 << 20;

std::unique_ptr<Environment> open(const testing::TempDir& dir) {
  auto opened = Environment::open(dir.path(), small_map);
  REQUIRE(opened.code == 0);
  REQUIRE((opened.environment->empty() ? opened.environment->make_tables("first", "entry")
                                       : opened.environment->find_tables()) == 0);
  return std::move(opened.environment);
}

TEST_CASE("what was committed is there after reopening, what was not is not") {
  const testing::TempDir dir;
  {
    const auto environment = open(dir);
    WriteTxn kept(*environment);
    kept.put(Table::tags, "key", "value");
    kept.put(Table::blobs, "key", "another table");
    REQUIRE(kept.commit() == 0);
    WriteTxn dropped(*environment);
    REQUIRE(dropped.put(Table::tags, "dropped", "value") == 0);
  }
  const auto environment = open(dir);
  CHECK_FALSE(environment->empty());
  const ReadTxn txn(*environment);
  CHECK(txn.get(Table::tags, "key").value == "value");
  CHECK(txn.get(Table::blobs, "key").value == "another table");
  CHECK(txn.get(Table::meta, "first").value == "entry");
  const auto dropped = txn.get(Table::tags, "dropped");
  CHECK_FALSE(dropped.found);
  CHECK(dropped.code == 0);
  CHECK(txn.entries(Table::tags) == 1);
  CHECK(txn.entries(Table::grants) == 0);
}

TEST_CASE("erasing works, also of what is not there, and entries are visited in order") {
  const testing::TempDir dir;
  const auto environment = open(dir);
  std::string seen;
  const lmdb::Visit note = [&](std::string_view key, std::string_view value) {
    seen += std::string(key) += value;
    return true;
  };
  WriteTxn txn(*environment);
  for (const char* key : {"c", "a", "b"}) txn.put(Table::blobs, key, key);
  CHECK(txn.erase(Table::blobs, "b") == 0);
  CHECK(txn.erase(Table::blobs, "never there") == 0);
  CHECK(txn.each(Table::blobs, note) == 0);
  CHECK(seen == "aacc");
  CHECK(txn.commit() == 0);
  const ReadTxn reading(*environment);
  CHECK(reading.each(Table::blobs, note) == 0);
  CHECK(seen == "aaccaacc");
  CHECK(reading.each(Table::seen, note) == 0);
  CHECK(seen == "aaccaacc");
  int visits = 0;
  CHECK(reading.each(Table::blobs, [&](auto, auto) { return ++visits < 1; }) == 0);
  CHECK(visits == 1);
}

TEST_CASE("a full map fails the commit and nothing else") {
  const testing::TempDir dir;
  const auto environment = open(dir);
  {
    WriteTxn txn(*environment);
    REQUIRE(txn.put(Table::tags, "before", "value") == 0);
    REQUIRE(txn.commit() == 0);
  }
  {
    WriteTxn txn(*environment);
    CHECK(lmdb::is_full(txn.put(Table::manifests, "big", std::string(2 * small_map, 'x'))));
    CHECK(lmdb::is_full(txn.put(Table::tags, "small", "value")));  // The first failure stays.
    CHECK(lmdb::is_full(txn.commit()));
  }
  WriteTxn txn(*environment);
  CHECK(txn.put(Table::tags, "after", "value") == 0);
  CHECK(txn.commit() == 0);
  CHECK(ReadTxn(*environment).get(Table::tags, "before").found);
}

TEST_CASE("a transaction that gives back the file's last pages leaves a file that opens again") {
  const testing::TempDir dir;
  {
    const auto environment = open(dir);
    for (const char* key : {"1", "2", "3", "4"}) {  // Pages to reuse: else LMDB writes all it took.
      WriteTxn txn(*environment);
      txn.put(Table::tags, key, "value");
      REQUIRE(txn.commit() == 0);
    }
    WriteTxn txn(*environment);
    txn.put(Table::manifests, "big", std::string(small_map / 4, 'x'));
    txn.erase(Table::manifests, "big");
    txn.put(Table::tags, "kept", "value");
    REQUIRE(txn.commit() == 0);
  }
  CHECK(ReadTxn(*open(dir)).get(Table::tags, "kept").found);
}

TEST_CASE("a file that is no environment, or is cut short, is damage and never touched memory") {
  struct Row {
    const char* why;
    std::uint64_t keep;  ///< bytes of a sound file, 0: garbage in its place
  };
  const Row rows[] = {{"garbage", 0},
                      {"cut within the first page", 100},
                      {"cut behind the two first pages", 8192},
                      {"the last page missing", ~std::uint64_t{0}}};
  for (const auto& row : rows) {
    CAPTURE(row.why);
    const testing::TempDir dir;
    {
      const auto environment = open(dir);
      WriteTxn txn(*environment);
      txn.put(Table::manifests, "big", std::string(50'000, 'x'));
      REQUIRE(txn.commit() == 0);
    }
    const auto data = dir / "data.mdb";
    const auto size = testing::fs::file_size(data);
    if (row.keep == 0) testing::write_text(data, std::string(20'000, 'g'));
    if (row.keep != 0) testing::fs::resize_file(data, std::min(row.keep, size - 4096));
    const auto opened = Environment::open(dir.path(), small_map);
    CHECK(lmdb::is_damage(opened.code));
    CHECK(opened.environment == nullptr);
    CHECK_FALSE(lmdb::text(opened.code).empty());
  }
}

TEST_CASE("somebody else's environment has none of our tables") {
  const testing::TempDir dir;
  auto opened = Environment::open(dir.path(), small_map);
  REQUIRE(opened.code == 0);
  CHECK(opened.environment->empty());
  CHECK(lmdb::is_damage(opened.environment->find_tables()));
}

}  // namespace
}  // namespace archway::cache
