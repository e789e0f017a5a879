// A cache that nothing can be written to.

#include "cache/cache.hpp"
#include "cache/paths.hpp"
#include "tests/cache/disk_calls.hpp"
#include "tests/cache/support.hpp"

#include <cerrno>
#include <doctest/doctest.h>
#include <functional>
#include <string>
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

/// Everybody may read it and nobody write to it (or everything again, with `writable`).
void set_writable(const fs::path& directory, bool writable) {
  using fs::perms;
  const auto read = perms::owner_read | perms::group_read | perms::others_read;
  const auto search = perms::owner_exec | perms::group_exec | perms::others_exec;
  const auto write = writable ? perms::owner_write : perms::none;
  fs::permissions(directory, read | search | write);
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    fs::permissions(entry, entry.is_directory() ? read | search | write : read | write);
  }
}

/// A cache with a blob and a tag, closed, and what it is afterwards.
struct Closed {
  explicit Closed(const std::function<void(const fs::path&)>& spoil = {}) {
    {
      const auto cache = open_cache(dir.path());
      digest = publish(*cache, bytes);
      REQUIRE(testing::commit(cache->index(),
                              {.tags = {{{hi, testing::tag("1")}, {.digest = digest}}}}));
    }
    if (spoil) spoil(dir.path());
    set_writable(dir.path(), false);
  }
  ~Closed() { set_writable(dir.path(), true); }

  /// Every file's name and length.
  std::vector<std::string> content() const {
    std::vector<std::string> all;
    for (const auto& entry : fs::recursive_directory_iterator(dir.path())) {
      const auto size = entry.is_regular_file() ? entry.file_size() : 0;
      all.push_back(entry.path().string() + " " + std::to_string(size));
    }
    std::sort(all.begin(), all.end());
    return all;
  }

  testing::TempDir dir;
  ImageName hi = testing::image("library/hi");
  testing::Bytes bytes = bytes_of(100'000);
  Digest digest = digest_of(bytes);
};

void check_refuses_fills(Cache& cache) {
  const auto access = cache.open_or_join(digest_of(bytes_of(7)), "docker.io/library/hi");
  REQUIRE(access.writer != nullptr);
  CHECK(access.writer->resume() == 0);
  const auto begun = access.writer->begin(7);
  REQUIRE_FALSE(begun);
  CHECK(begun.error().code == Errc::storage_failed);
  CHECK(begun.error().origin == Origin::storage);
  CHECK_FALSE(begun.error().retryable);
  CHECK(cache.stats().refusals.at(static_cast<std::size_t>(Refusal::erofs)) == 1);
}

TEST_CASE("a cache that cannot be written to serves what it has, and takes nothing") {
  struct Row {
    const char* why;
    std::function<void(const fs::path&)> spoil;
    bool knows_tags;
  };
  const Row rows[] = {
      {"as it was closed", {}, true},
      {"left by a crash of the machine", testing::pretend_power_cut, true},
      {"without a lock file", [](auto& dir) { fs::remove(dir / "lock"); }, true},
      {"its index is damaged: the snapshot is read",
       [](auto& dir) { testing::write_text(dir / "index/data.mdb", "garbage"); }, true},
      {"it has no index", [](auto& dir) { fs::remove_all(dir / "index"); }, false},
      {"index and snapshot are damaged",
       [](auto& dir) {
         testing::write_text(dir / "index/data.mdb", "garbage");
         testing::write_text(dir / "index/snapshot.mdb", "");
       },
       false},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    const Closed closed(row.spoil);
    const auto before = closed.content();
    {
      const testing::Unprivileged nobody;
      const auto cache = open_cache(closed.dir.path());
      CHECK(cache->stats().read_only);
      CHECK(whole_of(*cache, closed.digest) == closed.bytes);
      CHECK(cache->index().find_tag(closed.hi, testing::tag("1")).has_value() == row.knows_tags);
      CHECK_FALSE(testing::commit(cache->index(), {.tags_gone = {{closed.hi, testing::tag("1")}}}));
      check_refuses_fills(*cache);
      CHECK(whole_of(*cache, closed.digest) == closed.bytes);
      CHECK(cache->verify({}).blobs == 1);
    }
    CHECK(closed.content() == before);
  }
}

TEST_CASE("what is damaged there is not served, though nobody can set it aside") {
  const Closed closed([](const fs::path& dir) {
    for (const auto& entry : fs::recursive_directory_iterator(dir / "blobs")) {
      if (!entry.is_regular_file()) continue;
      fs::permissions(entry, fs::perms::owner_all);
      fs::resize_file(entry, 10);
    }
  });
  const testing::Unprivileged nobody;
  const auto cache = open_cache(closed.dir.path());
  CHECK_FALSE(cache->open_blob(closed.digest));
  CHECK(cache->open_or_join(closed.digest, "docker.io/library/hi").writer != nullptr);
  CHECK(cache->stats().damaged.at(static_cast<std::size_t>(FoundBy::size)) == 1);
}

TEST_CASE("any number may read a directory that nobody writes to") {
  const Closed closed;
  const testing::Unprivileged nobody;
  const auto one = open_cache(closed.dir.path());
  const auto other = open_cache(closed.dir.path());
  CHECK(one->open_blob(closed.digest));
  CHECK(other->open_blob(closed.digest));
}

TEST_CASE("a disk that turns read-only costs no hit, and is noticed when it takes things again") {
  const testing::TempDir dir;
  const auto cache = open_cache(dir.path());
  const auto bytes = bytes_of(1'000);
  const auto digest = publish(*cache, bytes);
  {
    testing::DiskCalls calls(dir.path());
    for (const auto* const call : {"sync index/data.mdb", "write head of index/data.mdb"}) {
      CAPTURE(call);
      calls.fail(call, EROFS);
      CHECK_FALSE(testing::commit(cache->index(), {.blobs_gone = {digest}}));
      REQUIRE(cache->open_blob(digest));
      CHECK(read_bytes(*cache->open_blob(digest)) == bytes);
      CHECK(cache->index().find_blob(digest));
      calls.fail(call, 0);
      CHECK(testing::commit(cache->index(), {}));
    }
    calls.fail("sync " + paths::part(digest_of(bytes_of(50))), EROFS);
    {
      const auto access = cache->open_or_join(digest_of(bytes_of(50)), "docker.io/library/hi");
      REQUIRE(access.writer->begin(50));
      REQUIRE(access.writer->append(bytes_of(50)));
      CHECK_FALSE(access.writer->finish());
      CHECK(access.fill->state().verified);
    }
    CHECK(cache->stats().read_only);
  }
  publish(*cache, bytes_of(50));
  CHECK_FALSE(cache->stats().read_only);
}

}  // namespace
}  // namespace archway::cache
