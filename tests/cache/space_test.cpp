#include "cache/space.hpp"

#include "cache/file_error.hpp"
#include "tests/cache/support.hpp"

#include <atomic>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <memory>
#include <new>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace archway::cache {
namespace {

using testing::bytes_of;
using testing::digest_of;
namespace fs = std::filesystem;

constexpr std::size_t blob_bytes = 100 * 1000;
constexpr std::uint64_t ten_blobs = 10 * blob_bytes;

std::unique_ptr<Cache> open(const testing::TempDir& dir, std::uint64_t max_size) {
  auto cache = Cache::open(
      {.directory = dir.path(), .sync = false, .limits = {.max_size = max_size}}, nullptr);
  if (!cache) FAIL(cache.error().message);
  return *std::move(cache);
}

Digest numbered_blob(Cache& cache, std::uint32_t number) {
  return testing::publish(cache, bytes_of(blob_bytes, number));
}

/// What the files take, the index says and the books say.
void check_books(Cache& cache, const testing::TempDir& dir) {
  std::uint64_t sum = 0;
  for (const auto& entry : fs::recursive_directory_iterator(dir / "blobs")) {
    if (entry.is_regular_file()) sum += entry.file_size();
  }
  CHECK(cache.stats().space.published == sum);
  CHECK(cache.stats().totals.blob_bytes == sum);
  CHECK(cache.stats().space.reserved == 0);
}

TEST_CASE("the cache never passes its size, and what went is a miss that can be brought again") {
  const testing::TempDir dir(testing::in_memory());
  const auto cache = open(dir, ten_blobs);
  std::vector<Digest> brought;
  for (std::uint32_t i = 0; i < 25; ++i) {
    brought.push_back(numbered_blob(*cache, i));
    CHECK(cache->stats().space.published <= ten_blobs);
  }
  check_books(*cache, dir);
  CHECK(cache->stats().space.evicted_blobs >= 15);
  std::size_t here = 0;
  for (const auto& digest : brought) {
    const bool is_here = cache->open_blob(digest).has_value();
    CHECK(cache->index().find_blob(digest).has_value() == is_here);
    here += is_here ? 1 : 0;
  }
  CHECK(here + cache->stats().space.evicted_blobs == 25);
  CHECK_FALSE(cache->open_blob(brought[0]));
  CHECK(numbered_blob(*cache, 0) == brought[0]);
  CHECK(cache->open_blob(brought[0]));
  check_books(*cache, dir);
}

TEST_CASE("what is to be removed goes at once, but for what somebody reads") {
  const testing::TempDir dir(testing::in_memory());
  const auto cache = open(dir, ten_blobs);
  const std::vector<Digest> brought{numbered_blob(*cache, 0), numbered_blob(*cache, 1),
                                    numbered_blob(*cache, 2)};
  auto read = cache->open_blob(brought[1]);
  REQUIRE(read);
  const std::vector<Digest> wanted{brought[0], brought[1], digest_of(bytes_of(1, 9))};
  const auto removed = cache->remove(wanted);
  REQUIRE(removed);
  CHECK(removed->blobs == 1);
  CHECK(removed->blob_bytes == blob_bytes);
  CHECK_FALSE(cache->open_blob(brought[0]));
  CHECK(cache->open_blob(brought[1]));
  CHECK(cache->open_blob(brought[2]));
  check_books(*cache, dir);
  read.reset();
  CHECK(cache->remove(wanted)->blobs == 1);
  check_books(*cache, dir);
}

TEST_CASE("what came for a platform that is excluded goes first, from the moment it is there") {
  const testing::TempDir dir(testing::in_memory());
  const auto opened =
      Cache::open({.directory = dir.path(),
                   .sync = false,
                   .limits = {.max_size = ten_blobs},
                   .excluded = [](const std::string& platform) { return platform == "linux/386"; }},
                  nullptr);
  REQUIRE(opened);
  auto& cache = **opened;
  const auto excluded = digest_of(bytes_of(blob_bytes, 100));
  const auto hi = testing::image("library/hi");
  REQUIRE(testing::commit(cache.index(), {.grants = {{hi, excluded, "linux/386"}}}));
  std::vector<Digest> brought;
  for (std::uint32_t i = 0; i < 9; ++i) brought.push_back(numbered_blob(cache, i));
  CHECK(numbered_blob(cache, 100) == excluded);
  numbered_blob(cache, 10);
  CHECK_FALSE(cache.open_blob(excluded));
  CHECK(cache.stats().space.evicted_blobs == 2);
  for (std::size_t i = 1; i < brought.size(); ++i) CHECK(cache.open_blob(brought[i]));
}

TEST_CASE("a blob that somebody reads is not evicted until nobody does") {
  const testing::TempDir dir(testing::in_memory());
  const auto cache = open(dir, ten_blobs);
  const auto wanted = numbered_blob(*cache, 0);
  auto blob = cache->open_blob(wanted);
  REQUIRE(blob);
  CHECK(cache->stats().in_use == 1);
  for (std::uint32_t i = 1; i < 40; ++i) numbered_blob(*cache, i);
  CHECK(cache->open_blob(wanted));
  CHECK(testing::read_bytes(*blob) == bytes_of(blob_bytes, 0));
  const auto large = bytes_of(ten_blobs, 99);
  CHECK_FALSE(
      cache->open_or_join(digest_of(large), "docker.io/library/hi").writer->begin(large.size()));
  blob.reset();
  CHECK(cache->stats().in_use == 0);
  testing::publish(*cache, large);
  CHECK_FALSE(cache->open_blob(wanted));
  CHECK(cache->stats().totals.blobs == 1);
}

TEST_CASE("a blob that is followed while it arrives stays as long as it is followed") {
  const testing::TempDir dir(testing::in_memory());
  const auto cache = open(dir, ten_blobs);
  const auto bytes = bytes_of(blob_bytes, 0);
  auto access = cache->open_or_join(digest_of(bytes), "docker.io/library/hi");
  REQUIRE(access.writer->begin(bytes.size()));
  REQUIRE(access.writer->append(bytes));
  REQUIRE(access.writer->finish());
  access.writer.reset();
  for (std::uint32_t i = 1; i < 40; ++i) numbered_blob(*cache, i);
  CHECK(cache->open_blob(access.fill->digest()));
}

TEST_CASE("a fill that does not fit is refused as full, and takes nothing with it") {
  const testing::TempDir dir(testing::in_memory());
  const auto cache = open(dir, ten_blobs);
  for (std::uint32_t i = 0; i < 9; ++i) numbered_blob(*cache, i);
  const auto bytes = bytes_of(ten_blobs + 1, 77);
  for (const bool announced : {true, false}) {
    CAPTURE(announced);
    const auto access = cache->open_or_join(digest_of(bytes), "docker.io/library/hi");
    Result<void> result;
    if (announced) result = access.writer->begin(bytes.size());
    for (std::size_t at = 0; result && at < bytes.size(); at += blob_bytes) {
      const auto count = std::min(blob_bytes, bytes.size() - at);
      result = access.writer->append(std::span(bytes).subspan(at, count));
    }
    REQUIRE_FALSE(result);
    CHECK(says_full(result.error()));
    CHECK(result.error().origin == Origin::storage);
    CHECK_FALSE(result.error().retryable);
    REQUIRE(access.fill->state().failed);
    CHECK(cache->find_fill(digest_of(bytes)) == nullptr);
    check_books(*cache, dir);
    if (announced) CHECK(cache->stats().totals.blobs == 9);
  }
}

TEST_CASE("what the index counts without a file, or the other way, is put right when it is seen") {
  const testing::TempDir dir(testing::in_memory());
  const auto cache = open(dir, ten_blobs);
  const auto gone = numbered_blob(*cache, 1);
  const auto cut = numbered_blob(*cache, 2);
  numbered_blob(*cache, 3);
  const auto path = [&](const Digest& digest) {
    return dir / ("blobs/sha256/" + digest.hex().substr(0, 2) + "/" + digest.hex());
  };
  fs::remove(path(gone));
  fs::permissions(path(cut), fs::perms::owner_write, fs::perm_options::add);
  fs::resize_file(path(cut), 5);
  CHECK_FALSE(cache->open_blob(gone));
  CHECK_FALSE(cache->open_blob(cut));
  REQUIRE(testing::commit(cache->index(), {}));  // Behind the commits that nobody waited for.
  check_books(*cache, dir);
}

TEST_CASE("a pinned blob stays, and is given up once it is not pinned any more") {
  const testing::TempDir dir(testing::in_memory());
  auto cache = open(dir, ten_blobs);
  const auto pinned = numbered_blob(*cache, 0);
  const auto name = testing::image("library/hi");
  REQUIRE(testing::commit(cache->index(), {.pins = {{.image = name, .what = pinned}}}));
  const auto large = bytes_of(ten_blobs, 99);
  const auto refused = cache->open_or_join(digest_of(large), "docker.io/library/hi");
  CHECK_FALSE(refused.writer->begin(large.size()));
  CHECK(cache->open_blob(pinned));
  REQUIRE(testing::commit(cache->index(), {.pins_gone = {{name, pinned}}}));
  testing::publish(*cache, large);
  CHECK_FALSE(cache->open_blob(pinned));
}

TEST_CASE("a blob that was to go when memory ran out is there, and can go later") {
  const testing::TempDir dir(testing::in_memory());
  std::vector<Digest> blobs;
  {
    const auto cache = open(dir, ten_blobs);
    for (std::uint32_t i = 0; i < 2; ++i) blobs.push_back(numbered_blob(*cache, i));
  }
  BlobStore store(std::make_shared<const FileHandle>(
                      ::open(dir.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)),
                  false, nullptr);
  REQUIRE(store.open(dir.path()));
  const auto index = *Index::open(dir / "index");
  bool no_memory = true;
  Space space({}, {.store = &store, .index = index.get(), .is_filling = [&](const Digest& digest) {
                     if (no_memory && digest == blobs[1]) throw std::bad_alloc();
                     return false;
                   }});
  const std::vector<Evictable> both{{.digest = blobs[0], .size = blob_bytes},
                                    {.digest = blobs[1], .size = blob_bytes}};
  CHECK_THROWS_AS((void)space.remove(both), std::bad_alloc);
  CHECK_THROWS_AS(space.forget_missing(both), std::bad_alloc);
  for (const auto& digest : blobs) {
    CHECK_FALSE(space.is_leaving(digest));
    CHECK(store.find(digest).blob);
    CHECK(index->find_blob(digest));
  }
  no_memory = false;
  const auto removed = space.remove(both);
  REQUIRE(removed);
  CHECK(removed->freed == 2 * blob_bytes);
}

TEST_CASE("collecting leaves what went to quarantine lately") {
  const testing::TempDir dir(testing::in_memory());
  const auto cache = open(dir, ten_blobs);
  testing::write_text(dir / "quarantine/sha256-x", "damaged");
  auto collected = cache->collect();
  REQUIRE(collected);
  CHECK(collected->quarantined == 0);
  CHECK(fs::exists(dir / "quarantine/sha256-x"));
}

TEST_CASE("fifty readers of a full cache read right bytes while everything is churned") {
  const testing::TempDir dir(testing::in_memory());
  const auto cache = open(dir, ten_blobs);
  constexpr std::uint32_t names = 30;
  std::vector<testing::Bytes> contents;
  for (std::uint32_t i = 0; i < names; ++i) contents.push_back(bytes_of(blob_bytes, i));
  std::vector<Digest> digests;
  for (const auto& bytes : contents) digests.push_back(digest_of(bytes));
  std::atomic<int> wrong = 0;
  std::atomic<int> read = 0;
  std::atomic<bool> enough = false;
  const auto check = [&](std::uint32_t number, const BlobFile& blob) {
    if (testing::read_bytes(blob) != contents[number]) ++wrong;
    ++read;
  };
  std::vector<std::thread> threads;
  for (std::uint32_t i = 0; i < 50; ++i) {
    threads.emplace_back([&, i] {
      std::mt19937 random(i);
      while (!enough) {
        const auto number = static_cast<std::uint32_t>(random() % names);
        if (const auto blob = cache->open_blob(digests[number])) check(number, *blob);
      }
    });
  }
  std::mt19937 random(99);
  for (int fill = 0; fill < 200; ++fill) {
    const auto number = static_cast<std::uint32_t>(random() % names);
    const auto access = cache->open_or_join(digests[number], "docker.io/library/hi");
    if (access.blob) check(number, *access.blob);
    if (!access.writer) continue;
    // Refused while too much of it is being read: then the next one is tried.
    if (!access.writer->begin(blob_bytes)) continue;
    REQUIRE(access.writer->append(contents[number]));
    REQUIRE(access.writer->finish());
    if (cache->stats().space.published > ten_blobs) ++wrong;
  }
  enough = true;
  for (auto& thread : threads) thread.join();
  CHECK(wrong == 0);
  CHECK(read > 0);
  check_books(*cache, dir);
  const auto collected = cache->collect();
  REQUIRE(collected);
  CHECK(collected->blobs == 0);
}

}  // namespace
}  // namespace archway::cache
