// What the cache does about a disk that fails.

#include "cache/cache.hpp"
#include "cache/file_error.hpp"
#include "cache/paths.hpp"
#include "cache/store_health.hpp"
#include "tests/cache/disk_calls.hpp"
#include "tests/cache/support.hpp"

#include <algorithm>
#include <cerrno>
#include <doctest/doctest.h>
#include <span>
#include <string>
#include <vector>

namespace archway::cache {
namespace {

namespace fs = std::filesystem;
using testing::bytes_of;
using testing::open_cache;
using testing::publish;
using testing::read_bytes;

TEST_CASE("strict: the bytes are on the disk before the name, the name before the index") {
  const testing::TempDir dir;
  const auto cache = open_cache(dir.path());
  const testing::DiskCalls calls(dir.path());
  const auto digest = publish(*cache, bytes_of(100));
  const auto seen = calls.seen();
  auto from = seen.begin();
  for (const auto& step :
       {"sync " + paths::part(digest), "rename " + paths::part(digest),
        "sync " + paths::blob_directory(digest), std::string("sync index/data.mdb")}) {
    CAPTURE(step);
    CHECK(std::count(seen.begin(), seen.end(), step) == 1);
    from = std::find(from, seen.end(), step);
    CHECK(from != seen.end());
  }
}

TEST_CASE("relaxed: the index alone is synced, no blob and no directory of blobs") {
  const testing::TempDir dir;
  const auto cache = open_cache(dir.path(), false);
  const testing::DiskCalls calls(dir.path());
  const auto digest = publish(*cache, bytes_of(100));
  for (const auto& call : calls.seen()) {
    CAPTURE(call);
    if (call.starts_with("write ")) continue;
    CHECK((call == "rename " + paths::part(digest) || call == "sync index/data.mdb"));
  }
  CHECK(cache->open_blob(digest));
}

TEST_CASE("relaxed: an orderly end has the blobs on the disk before the index says it was one") {
  const testing::TempDir dir;
  auto cache = open_cache(dir.path(), false);
  const auto digest = publish(*cache, bytes_of(100));
  {
    const testing::DiskCalls calls(dir.path());
    cache.reset();
    const auto seen = calls.seen();
    REQUIRE(std::count(seen.begin(), seen.end(), "sync index/data.mdb") == 1);
    const auto all = std::find(seen.begin(), seen.end(), "sync all of .");
    CHECK(std::find(all, seen.end(), "sync index/data.mdb") != seen.end());
  }
  cache = open_cache(dir.path(), false);
  CHECK(cache->open_blob(digest));
  {
    testing::DiskCalls calls(dir.path());
    calls.fail("sync all of .", EIO);
    cache.reset();
    const auto seen = calls.seen();
    CHECK(std::count(seen.begin(), seen.end(), "sync index/data.mdb") == 0);
  }
}

TEST_CASE("a blob that cannot be made durable is not published; its followers have it") {
  struct Row {
    const char* why;
    std::string (*call)(const Digest& digest);
  };
  const Row rows[] = {
      {"its bytes", [](const Digest& digest) { return "sync " + paths::part(digest); }},
      {"its name", [](const Digest& digest) { return "rename " + paths::part(digest); }},
      {"its directory",
       [](const Digest& digest) { return "sync " + paths::blob_directory(digest); }},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    const testing::TempDir dir;
    const auto cache = open_cache(dir.path());
    const auto bytes = bytes_of(100);
    const auto digest = testing::digest_of(bytes);
    testing::DiskCalls calls(dir.path());
    calls.fail(row.call(digest), EIO);
    {
      const auto access = cache->open_or_join(digest, "docker.io/library/hi");
      REQUIRE(access.writer->begin(bytes.size()));
      REQUIRE(access.writer->append(bytes));
      const auto finished = access.writer->finish();
      REQUIRE_FALSE(finished);
      CHECK(finished.error().origin == Origin::storage);
      CHECK(access.fill->state().verified);
      CHECK(read_bytes(access.fill->file()->get(), 100) == bytes);
    }
    CHECK_FALSE(cache->open_blob(digest));
    CHECK(cache->stats().totals.blobs == 0);
    calls.fail(row.call(digest), 0);
    CHECK(publish(*cache, bytes) == digest);
    CHECK(read_bytes(*cache->open_blob(digest)) == bytes);
  }
}

TEST_CASE("a blob that broke while it was served is set aside, and fetched again") {
  const testing::TempDir dir;
  const auto cache = open_cache(dir.path());
  const auto bytes = bytes_of(100);
  const auto digest = publish(*cache, bytes);
  const auto served = cache->open_blob(digest);
  const auto served_to_another = cache->open_blob(digest);
  REQUIRE(served);
  fs::resize_file(dir / paths::blob(digest), 50);
  cache->report_damaged(digest, *served, "a test");
  CHECK(cache->stats().damaged == DamageCounts{0, 0, 0, 1, 0});
  CHECK(fs::exists(dir / paths::quarantined(digest)));
  CHECK_FALSE(cache->open_blob(digest));
  CHECK(publish(*cache, bytes) == digest);
  cache->report_damaged(digest, *served_to_another, "a test");
  CHECK(cache->stats().damaged == DamageCounts{0, 0, 0, 1, 0});
  REQUIRE(cache->open_blob(digest));
  CHECK(read_bytes(*cache->open_blob(digest)) == bytes);
}

TEST_CASE("a blob that reads well when it is looked at again stays") {
  const testing::TempDir dir;
  const auto cache = open_cache(dir.path());
  const auto bytes = bytes_of(100);
  const auto digest = publish(*cache, bytes);
  cache->report_damaged(digest, *cache->open_blob(digest), "a disk that stumbled once");
  CHECK(cache->stats().damaged == DamageCounts{});
  REQUIRE(cache->open_blob(digest));
  CHECK(read_bytes(*cache->open_blob(digest)) == bytes);
}

TEST_CASE("a disk so full that no commit fits: blobs go first, and their records when they can") {
  const testing::TempDir dir;
  auto cache = open_cache(dir.path());
  std::vector<Digest> blobs;
  for (std::uint32_t i = 0; i < 3; ++i) blobs.push_back(publish(*cache, bytes_of(1'000, i)));
  {
    testing::DiskCalls calls(dir.path());
    calls.fail("sync index/data.mdb", ENOSPC);
    const auto removed = cache->remove(std::span(blobs).first(2));
    REQUIRE(removed);
    CHECK(removed->blobs == 2);
    CHECK(removed->blob_bytes == 2'000);
  }
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK_FALSE(fs::exists(dir / paths::blob(blobs[i])));
    CHECK(cache->index().find_blob(blobs[i]));
    CHECK_FALSE(cache->open_blob(blobs[i]));  // Which sees that the file is gone.
  }
  CHECK(testing::commit(cache->index(), {}));
  CHECK_FALSE(cache->index().find_blob(blobs[0]));
  CHECK(cache->open_blob(blobs[2]));
  CHECK(cache->stats().space.published == 1'000);
  CHECK(cache->stats().totals.blob_bytes == 1'000);
  CHECK(publish(*cache, bytes_of(1'000, 0)) == blobs[0]);
  cache.reset();
  cache = open_cache(dir.path());
  CHECK(cache->verify({}).damaged == 0);
  CHECK(cache->stats().totals.blobs == 2);
}

TEST_CASE("a write that breaks off on a nearly full disk is a full disk's") {
  const testing::TempDir dir;
  const auto cache = open_cache(dir.path());
  const std::vector<Digest> blobs{publish(*cache, bytes_of(1'000))};
  testing::DiskCalls calls(dir.path());
  calls.fail("sync index/data.mdb", EIO);
  calls.fail("space of index", ENOSPC);
  const auto refused = testing::commit(cache->index(), {.blobs_gone = blobs});
  REQUIRE_FALSE(refused);
  CHECK(says_full(refused.error()));
  const auto removed = cache->remove(blobs);
  REQUIRE(removed);
  CHECK(removed->blob_bytes == 1'000);
}

TEST_CASE("a disk that fails in another way than by being full costs no blob its file") {
  const testing::TempDir dir;
  const auto cache = open_cache(dir.path());
  const std::vector<Digest> blobs{publish(*cache, bytes_of(1'000))};
  testing::DiskCalls calls(dir.path());
  calls.fail("sync index/data.mdb", EIO);
  CHECK_FALSE(cache->remove(blobs));
  CHECK(cache->open_blob(blobs[0]));
}

TEST_CASE("blob after blob that cannot be read is the disk's fault: no more of them are given up") {
  const testing::TempDir dir;
  const auto cache = open_cache(dir.path());
  std::vector<Digest> blobs;
  for (std::uint32_t i = 0; i < 8; ++i) blobs.push_back(publish(*cache, bytes_of(1'000, i)));
  testing::DiskCalls calls(dir.path());
  for (std::size_t i = 0; i < 6; ++i) calls.fail("read " + paths::blob(blobs[i]), EIO);
  std::vector<BlobFile> served;
  for (const auto& digest : blobs) served.push_back(*cache->open_blob(digest));
  for (std::size_t i = 0; i < 6; ++i) {
    CHECK(cache->stats().out_of_service == (i >= StoreHealth::unreadable_max));
    cache->report_damaged(blobs[i], served[i], "a test");
  }
  CHECK(cache->stats().quarantined == StoreHealth::unreadable_max - 1);
  for (std::size_t i = StoreHealth::unreadable_max - 1; i < blobs.size(); ++i) {
    CHECK(fs::exists(dir / paths::blob(blobs[i])));
    CHECK(cache->index().find_blob(blobs[i]));
  }
  const auto access = cache->open_or_join(blobs[7], "docker.io/library/hi");
  CHECK_FALSE(access.blob);
  REQUIRE(access.writer);
  const auto begun = access.writer->begin(1'000);
  REQUIRE_FALSE(begun);
  CHECK(begun.error().origin == Origin::storage);
  CHECK_FALSE(begun.error().retryable);
}

}  // namespace
}  // namespace archway::cache
