#include "cache/index_probe.hpp"

#include "cache/index_file.hpp"
#include "tests/cache/support.hpp"

#include <csignal>
#include <doctest/doctest.h>
#include <string>
#include <unistd.h>

namespace archway::cache {
namespace {

namespace fs = std::filesystem;

/// An index left open, with pages that lead to others.
void make(const testing::TempDir& dir) {
  auto file = open_index_file(dir.path());
  REQUIRE(file);
  lmdb::WriteTxn txn(*file->environment);
  for (int tag = 1'000; tag < 1'400; ++tag) {
    const auto key = "tag" + std::to_string(tag);
    txn.put(lmdb::Table::tags, key, codec::ValueWriter().text(std::string(90, 't')).seal(key));
  }
  REQUIRE(txn.commit() == 0);
}

TEST_CASE("what the child found is what the parent knows") {
  const testing::TempDir dir;
  make(dir);
  CHECK(probe_index(dir / "data.mdb").finding == Finding::sound);
  CHECK(probe_index(dir / "none").finding == Finding::unreadable);
  testing::write_text(dir / "garbage", std::string(9'999, 'g'));
  CHECK(probe_index(dir / "garbage").finding == Finding::damaged);
}

TEST_CASE("a file that ends whoever reads it ends the child alone, quietly") {
  const testing::TempDir dir;
  make(dir);
  auto bytes = testing::read_text(dir / "data.mdb");
  std::size_t deadly = 0;
  for (std::size_t page = 2; page < bytes.size() / 4096; ++page) {
    auto spoilt = bytes;
    spoilt.replace(page * 4096, 4096, std::string(4096, '\0'));
    testing::write_text(dir / "spoilt", spoilt);
    const auto probe = probe_index(dir / "spoilt");
    CHECK_FALSE(probe.too_slow);
    CHECK(probe.finding != Finding::sound_and_clean);
    deadly += probe.finding ? 0 : 1;
    CHECK(probe.how_it_ended.empty() == probe.finding.has_value());
  }
  CHECK(deadly > 0);
}

TEST_CASE("the child takes none of the parent's signals with it") {
  // A handler of the parent's for what a damaged file raises would run in the child, too.
  const auto before = std::signal(SIGABRT, [](int) { ::_exit(40); });
  const testing::TempDir dir;
  make(dir);
  auto bytes = testing::read_text(dir / "data.mdb");
  for (std::size_t page = 2; page < 12; ++page) bytes.replace(page * 4096, 4096, 4096, '\0');
  testing::write_text(dir / "spoilt", bytes);
  const auto probe = probe_index(dir / "spoilt");
  CHECK(probe.finding != Finding::sound_and_clean);
  std::signal(SIGABRT, before);
}

}  // namespace
}  // namespace archway::cache
