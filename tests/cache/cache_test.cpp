#include "cache/cache.hpp"

#include "cache/index_file.hpp"
#include "cache/paths.hpp"
#include "tests/cache/support.hpp"

#include <algorithm>
#include <atomic>
#include <doctest/doctest.h>
#include <latch>
#include <string>
#include <sys/wait.h>
#include <thread>
#include <vector>

namespace archway::cache {
namespace {

namespace fs = std::filesystem;
using testing::bytes_of;
using testing::digest_of;
using testing::open_cache;
using testing::publish;
using testing::read_bytes;
using testing::whole_of;

TEST_CASE("a published blob is a hit, before and after a restart, whatever its algorithm or size") {
  const testing::TempDir dir;
  const auto small = bytes_of(1'000);
  std::vector<Digest> digests;
  {
    const auto cache = open_cache(dir / "new/cache");
    digests = {publish(*cache, small), publish(*cache, small, Digest::Algorithm::sha512),
               publish(*cache, {})};
    CHECK(cache->directory() == dir / "new/cache");
    CHECK(cache->stats().totals.blobs == 3);
    CHECK(cache->stats().totals.blob_bytes == 2'000);
  }
  const auto cache = open_cache(dir / "new/cache");
  for (const auto& digest : digests) {
    const auto blob = cache->open_blob(digest);
    REQUIRE(blob);
    CHECK(digest_of(read_bytes(*blob), digest.algorithm()) == digest);
    const auto access = cache->open_or_join(digest, "docker.io/library/hi");
    CHECK(access.blob);
    CHECK(access.fill == nullptr);
    CHECK(access.writer == nullptr);
  }
  CHECK(cache->stats().totals.blobs == 3);
  CHECK_FALSE(cache->open_blob(digest_of(bytes_of(7))));
}

TEST_CASE("one object has one fill: who comes second joins it, who comes after it has the file") {
  const testing::TempDir dir;
  const auto cache = open_cache(dir.path());
  const auto bytes = bytes_of(100);
  const auto digest = digest_of(bytes);
  CHECK(cache->find_fill(digest) == nullptr);
  const auto first = cache->open_or_join(digest, "docker.io/library/hi");
  const auto second = cache->open_or_join(digest, "docker.io/library/hi");
  REQUIRE(first.writer != nullptr);
  CHECK(first.writer->fill() == first.fill);
  CHECK(first.fill->digest() == digest);
  CHECK(second.writer == nullptr);
  CHECK(second.fill == first.fill);
  CHECK(cache->find_fill(digest) == first.fill);
  CHECK(cache->stats().fills_in_progress == 1);
  CHECK(cache->open_or_join(digest_of(bytes_of(1)), "docker.io/library/hi").writer != nullptr);
  REQUIRE(first.writer->begin(100));
  REQUIRE(first.writer->append(bytes));
  REQUIRE(first.writer->finish());
  CHECK(cache->open_or_join(digest, "docker.io/library/hi").blob);
  CHECK(cache->find_fill(digest) == nullptr);
}

TEST_CASE("of many threads that ask at once one writes, and no second fill is ever started") {
  const testing::TempDir dir;
  const auto cache = open_cache(dir.path(), false);
  constexpr int threads = 6;
  for (std::uint32_t round = 0; round < 20; ++round) {
    const auto bytes = bytes_of(100, round);
    const auto digest = digest_of(bytes);
    std::latch together(threads);
    std::atomic<int> writers = 0;
    std::atomic<int> empty = 0;
    std::vector<std::thread> askers;
    for (int i = 0; i < threads; ++i) {
      askers.emplace_back([&] {
        together.arrive_and_wait();
        // Also while the first one is being published: that is where a second one could slip in.
        for (bool whole = false; !whole;) {
          const auto access = cache->open_or_join(digest, "docker.io/library/hi");
          whole = access.blob.has_value();
          if (!access.blob && !access.fill) ++empty;
          if (!access.writer) continue;
          ++writers;
          if (access.writer->begin(100) && access.writer->append(bytes)) {
            whole = bool(access.writer->finish());
          }
        }
      });
    }
    for (auto& asker : askers) asker.join();
    CHECK(writers == 1);
    CHECK(empty == 0);
  }
  CHECK(cache->stats().totals.blobs == 20);
}

TEST_CASE("blobs outlive their index: files without a record are served and recorded again") {
  struct Row {
    const char* why;
    void (*lose)(const fs::path& directory);
  };
  const Row rows[] = {
      {"the index is removed", [](auto& directory) { fs::remove_all(directory / "index"); }},
      {"the index is garbage, and so is its snapshot", [](auto& directory) {
         testing::write_text(directory / "index/data.mdb", "garbage");
         testing::write_text(directory / "index/snapshot.mdb", "garbage");
       }}};
  for (const auto& row : rows) {
    CAPTURE(row.why);
    const testing::TempDir dir;
    const auto bytes = bytes_of(1'234);
    const auto digest = publish(*open_cache(dir.path()), bytes);
    row.lose(dir.path());
    {
      const auto cache = open_cache(dir.path());
      CHECK(cache->stats().totals.blobs == 0);
      CHECK(whole_of(*cache, digest) == bytes);
    }
    const auto cache = open_cache(dir.path());  // The record was written at the latest by closing.
    REQUIRE(cache->index().find_blob(digest));
    CHECK(cache->index().find_blob(digest)->size == 1'234);
    CHECK(cache->index().find_blob(digest)->arrived_at > 1'700'000'000);
    CHECK(cache->stats().totals.blob_bytes == 1'234);
  }
}

TEST_CASE("what the index knew is back from its snapshot when the index is damaged") {
  const testing::TempDir dir;
  const auto hi = testing::image("library/hi");
  const auto digest = digest_of(bytes_of(3'000));
  {
    const auto cache = open_cache(dir.path());
    CHECK(publish(*cache, bytes_of(3'000)) == digest);
    REQUIRE(testing::commit(cache->index(), {.grants = {{hi, digest}}}));
  }
  testing::write_text(dir / "index/data.mdb", "garbage");
  const auto cache = open_cache(dir.path());
  CHECK(testing::entries_with(dir / "index", "index.bad-") == 1);
  CHECK(cache->index().granted(hi, digest));
  CHECK(cache->stats().totals.blobs == 1);
}

void pretend_format(const fs::path& index, std::uint32_t format) {
  auto opened = lmdb::Environment::open(index, map_bytes_default);
  REQUIRE(opened.environment->find_tables() == 0);
  lmdb::WriteTxn txn(*opened.environment);
  txn.put(lmdb::Table::meta, codec::header_key(), testing::header_of_format(format));
  REQUIRE(txn.commit() == 0);
}

TEST_CASE("an index that a newer archway wrote is refused and not touched") {
  const testing::TempDir dir;
  const auto digest = publish(*open_cache(dir.path()), bytes_of(3'000));
  pretend_format(dir / "index", codec::index_format + 1);
  const auto before = testing::read_text(dir / "index/data.mdb");
  const auto cache = Cache::open({.directory = dir.path()}, nullptr);
  REQUIRE_FALSE(cache);
  CHECK(cache.error().code == Errc::configuration_invalid);
  CHECK(cache.error().message.find("a newer archway") != std::string::npos);
  CHECK(cache.error().message.find("remove " + (dir / "index").string()) != std::string::npos);
  CHECK(testing::read_text(dir / "index/data.mdb") == before);
  fs::remove_all(dir / "index");
  CHECK(whole_of(*open_cache(dir.path()), digest) == bytes_of(3'000));
}

TEST_CASE("an index of the format before is set aside, and the blobs stay") {
  const testing::TempDir dir;
  const auto bytes = bytes_of(3'000);
  const auto digest = digest_of(bytes);
  const auto hi = testing::image("library/hi");
  {
    const auto cache = open_cache(dir.path());
    CHECK(publish(*cache, bytes) == digest);
    REQUIRE(testing::commit(cache->index(), {.grants = {{hi, digest}}}));
  }
  pretend_format(dir / "index", codec::index_format - 1);
  fs::remove(dir / "index/snapshot.mdb");  // It was of that format, too.
  const auto cache = open_cache(dir.path());
  CHECK(testing::entries_with(dir / "index", "index.bad-") == 1);
  CHECK_FALSE(cache->index().granted(hi, digest));
  CHECK(cache->stats().totals.blobs == 0);
  CHECK(whole_of(*cache, digest) == bytes);
}

TEST_CASE("a file of another size than its record is quarantined, forgotten and fetched again") {
  for (const auto size : {std::size_t{0}, std::size_t{99}, std::size_t{101}}) {
    CAPTURE(size);
    const testing::TempDir dir;
    auto cache = open_cache(dir.path());
    const auto bytes = bytes_of(100);
    const auto digest = publish(*cache, bytes);
    fs::permissions(dir / paths::blob(digest), fs::perms::owner_all);
    fs::resize_file(dir / paths::blob(digest), size);
    CHECK_FALSE(cache->open_blob(digest));
    CHECK(cache->stats().quarantined == 1);
    CHECK(fs::file_size(dir / paths::quarantined(digest)) == size);
    cache.reset();
    cache = open_cache(dir.path());
    CHECK_FALSE(cache->index().find_blob(digest));
    CHECK(publish(*cache, bytes) == digest);
    REQUIRE(cache->open_blob(digest));
    CHECK(read_bytes(*cache->open_blob(digest)) == bytes);
  }
}

TEST_CASE("a damaged file that cannot be moved away is still not served") {
  const testing::TempDir dir;
  const auto cache = open_cache(dir.path());
  const auto digest = publish(*cache, bytes_of(100));
  fs::permissions(dir / paths::blob(digest), fs::perms::owner_all);
  fs::resize_file(dir / paths::blob(digest), 50);
  // A directory that is not empty keeps the name in quarantine.
  fs::create_directories(dir / paths::quarantined(digest) / "x");
  const auto access = cache->open_or_join(digest, "docker.io/library/hi");
  CHECK_FALSE(access.blob);
  CHECK(access.writer != nullptr);
}

TEST_CASE("a file that was removed by hand is a miss, and its record goes") {
  const testing::TempDir dir;
  auto cache = open_cache(dir.path());
  const auto digest = publish(*cache, bytes_of(100));
  fs::remove_all(dir / "blobs");
  CHECK_FALSE(cache->open_blob(digest));
  cache.reset();
  cache = open_cache(dir.path());
  CHECK_FALSE(cache->index().find_blob(digest));
  CHECK(cache->stats().totals.blobs == 0);
  CHECK(publish(*cache, bytes_of(100)) == digest);
}

TEST_CASE("an open blob stays readable when its file is removed") {
  const testing::TempDir dir;
  const auto cache = open_cache(dir.path());
  const auto bytes = bytes_of(100'000);
  const auto digest = publish(*cache, bytes);
  const auto blob = cache->open_blob(digest);
  REQUIRE(blob);
  fs::remove(dir / paths::blob(digest));
  CHECK(read_bytes(*blob) == bytes);
}

TEST_CASE("a directory belongs to one cache at a time, in this process and in others") {
  const testing::TempDir dir;
  auto cache = open_cache(dir.path());
  const auto second = Cache::open({.directory = dir.path()}, nullptr);
  REQUIRE_FALSE(second);
  CHECK(second.error().retryable);
  CHECK(second.error().message.find("process " + std::to_string(::getpid())) != std::string::npos);
  const auto digest = publish(*cache, bytes_of(10));  // The first one is none the worse for it.
  CHECK(cache->open_blob(digest));
  cache.reset();

  const auto child = ::fork();
  if (child == 0) {
    const auto mine = Cache::open({.directory = dir.path()}, nullptr);
    ::kill(::getpid(), mine ? SIGSTOP : SIGKILL);
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, WUNTRACED) == child);
  REQUIRE(WIFSTOPPED(status));
  const auto theirs = Cache::open({.directory = dir.path()}, nullptr);
  CHECK_FALSE(theirs);
  if (!theirs) {
    CHECK(theirs.error().message.find("process " + std::to_string(child)) != std::string::npos);
  }
  ::kill(child, SIGKILL);
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(open_cache(dir.path())->open_blob(digest));  // A killed holder leaves no lock behind.
}

TEST_CASE("a directory that cannot be used is refused with its path and the reason") {
  struct Row {
    const char* why;
    std::string directory;
    std::string want;
  };
  const testing::TempDir dir;
  fs::permissions(dir.path(), fs::perms{0755});
  fs::create_directory(dir / "readonly");
  fs::permissions(dir / "readonly", fs::perms{0555});
  testing::write_text(dir / "file", "");
  const Row rows[] = {
      {"read-only", dir / "readonly", "readonly/lock: Permission denied"},
      {"in a read-only one", dir / "readonly/a", "readonly/a: Permission denied"},
      {"further below a read-only one", dir / "readonly/a/b", "readonly/a: Permission denied"},
      {"a file", dir / "file", "file: Not a directory"},
      {"below a file", dir / "file/a", "file: Not a directory"},
  };
  const testing::Unprivileged nobody;
  for (const auto& row : rows) {
    CAPTURE(row.why);
    const auto cache = Cache::open({.directory = row.directory}, nullptr);
    REQUIRE_FALSE(cache);
    CHECK(cache.error().code == Errc::storage_failed);
    CHECK_FALSE(cache.error().retryable);
    CAPTURE(cache.error().message);
    CHECK(cache.error().message.find(row.want) != std::string::npos);
  }
}

TEST_CASE("opening looks at no unfinished fill and at no blob") {
  const testing::TempDir dir;
  const auto digest = publish(*open_cache(dir.path()), bytes_of(10));
  testing::write_text(dir / "fills/sha256-00.part", "half");
  // An unreadable place for blobs costs no start, and no blob: that it cannot be looked for says
  // nothing.
  fs::rename(dir / "blobs", dir / "elsewhere");
  testing::write_text(dir / "blobs", "not a directory");
  {
    const auto cache = open_cache(dir.path());
    CHECK(testing::entries(dir / "fills") == 1);
    CHECK(cache->stats().totals.blobs == 1);
  }
  fs::remove(dir / "blobs");
  fs::rename(dir / "elsewhere", dir / "blobs");
  CHECK(open_cache(dir.path())->open_blob(digest));
}

}  // namespace
}  // namespace archway::cache
