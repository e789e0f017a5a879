#include "cache/index_file.hpp"

#include "cache/record_codec.hpp"
#include "tests/cache/support.hpp"

#include <doctest/doctest.h>
#include <functional>
#include <string>

namespace archway::cache {
namespace {

namespace fs = std::filesystem;

IndexFile open(const testing::TempDir& dir) {
  auto file = open_index_file(dir.path());
  if (!file) FAIL(file.error().message);
  return *std::move(file);
}

/// Closes the file as an index does that ends in order.
void close_in_order(IndexFile file) {
  REQUIRE(mark_index(*file.environment, true, file.suspect_before) == 0);
}

std::string header_of(const lmdb::Environment& environment) {
  const lmdb::ReadTxn txn(environment);
  return std::string(txn.get(lmdb::Table::meta, codec::header_key()).value);
}

TEST_CASE("a new index is clean, one left open is not, one closed in order is") {
  const testing::TempDir dir;
  {
    const auto file = open(dir);
    CHECK(file.was_clean);
    CHECK(file.marked);
    CHECK_FALSE(file.set_aside);
  }
  auto left_open = open(dir);
  CHECK_FALSE(left_open.was_clean);
  CHECK(left_open.marked);
  close_in_order(std::move(left_open));
  const auto closed = open(dir);
  CHECK(closed.was_clean);
  CHECK_FALSE(codec::read_header(codec::header_key(), header_of(*closed.environment))->clean);
}

TEST_CASE("a file that is no index of ours is set aside, kept, and a new one is begun") {
  struct Row {
    const char* why;
    std::function<void(const fs::path&)> spoil;
  };
  const auto with_header = [](std::string_view value) {
    return [value = std::string(value)](const fs::path& data) {
      auto opened = lmdb::Environment::open(data.parent_path(), map_bytes_default);
      REQUIRE(opened.environment->find_tables() == 0);
      lmdb::WriteTxn txn(*opened.environment);
      if (value.empty()) txn.erase(lmdb::Table::meta, codec::header_key());
      if (!value.empty()) txn.put(lmdb::Table::meta, codec::header_key(), value);
      REQUIRE(txn.commit() == 0);
    };
  };
  const Row rows[] = {
      {"garbage", [](auto& data) { testing::write_text(data, std::string(99'999, 'g')); }},
      {"zero bytes", [](auto& data) { testing::write_text(data, ""); }},
      {"one byte", [](auto& data) { testing::write_text(data, "x"); }},
      {"cut to half", [](auto& data) { fs::resize_file(data, fs::file_size(data) / 2); }},
      {"the last page missing", [](auto& data) { fs::resize_file(data, fs::file_size(data) - 1); }},
      {"a directory", [](auto& data) { fs::remove(data), fs::create_directory(data); }},
      {"a link", [](auto& data) { fs::rename(data, "x"), fs::create_symlink("x", data); }},
      {"no header", with_header("")},
      {"a header of another kind", with_header(codec::write_number("header", 2))},
      {"the format before this one",
       with_header(testing::header_of_format(codec::index_format - 1))},
      {"a damaged header", [](auto& data) { CHECK(testing::flip_bits(data, "archway index")); }},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    const testing::TempDir dir;
    fs::current_path(dir.path());
    close_in_order(open(dir));
    row.spoil(dir / "data.mdb");
    {
      const auto file = open(dir);
      REQUIRE(file.set_aside);
      CHECK(file.set_aside->filename().string().starts_with("index.bad-"));
      CHECK(fs::exists(fs::symlink_status(*file.set_aside)));
      CHECK_FALSE(file.set_aside_why.empty());
      CHECK(file.was_clean);
      CHECK(file.marked);
    }
    CHECK_FALSE(open(dir).set_aside);
    fs::current_path("/");
  }
}

TEST_CASE("only the newest of the indexes set aside is kept") {
  const testing::TempDir dir;
  testing::write_text(dir / "index.bad-1", "old");
  testing::write_text(dir / "index.bad-2", "older");
  testing::write_text(dir / "data.mdb", "garbage");
  const auto file = open(dir);
  REQUIRE(file.set_aside);
  CHECK(testing::read_text(*file.set_aside) == "garbage");
  CHECK_FALSE(fs::exists(dir / "index.bad-1"));
  CHECK_FALSE(fs::exists(dir / "index.bad-2"));
}

TEST_CASE("a directory that cannot be written to is no reason to set a sound index aside") {
  const testing::TempDir dir;
  close_in_order(open(dir));
  fs::permissions(dir / "data.mdb", fs::perms::none);
  fs::permissions(dir.path(), fs::perms{0755});
  {
    const testing::Unprivileged nobody;
    const auto file = open_index_file(dir.path());
    REQUIRE_FALSE(file);
    CHECK(file.error().code == Errc::storage_failed);
    CHECK(file.error().message.find("Permission denied") != std::string::npos);
    CHECK(file.error().message.find((dir / "data.mdb").string()) != std::string::npos);
  }
  CHECK(open(dir).was_clean);
}

}  // namespace
}  // namespace archway::cache
