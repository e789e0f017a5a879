#include "cache/verification.hpp"

#include "cache/paths.hpp"
#include "tests/cache/support.hpp"

#include <doctest/doctest.h>
#include <functional>
#include <span>
#include <vector>

namespace archway::cache {
namespace {

namespace fs = std::filesystem;
using testing::bytes_of;
using testing::open_cache;
using testing::publish;

constexpr std::size_t blob_bytes = 300'000;

/// A cache with three blobs.
struct Three {
  Three() {
    for (std::uint32_t seed = 1; seed <= 3; ++seed) {
      blobs.push_back(publish(*cache, bytes_of(blob_bytes, seed)));
    }
  }
  fs::path file(std::size_t which) const { return dir / paths::blob(blobs[which]); }

  testing::TempDir dir;
  std::unique_ptr<Cache> cache = open_cache(dir.path());
  std::vector<Digest> blobs;
};

TEST_CASE("a sound cache is right, whatever is on its way meanwhile") {
  Three t;
  publish(*t.cache, bytes_of(10), Digest::Algorithm::sha512);
  const auto bytes = bytes_of(blob_bytes, 9);
  const auto access = t.cache->open_or_join(testing::digest_of(bytes), "docker.io/library/hi");
  REQUIRE(access.writer->begin(bytes.size()));
  REQUIRE(access.writer->append(std::span(bytes).first(100'000)));
  const auto found = t.cache->verify({});
  CHECK(found.all_right());
  CHECK_FALSE(found.stopped);
  CHECK(found.blobs == 4);
  CHECK(found.bytes == 3 * blob_bytes + 10);
  CHECK(found.parts == 1);
}

TEST_CASE("what is wrong is found by its kind, put right, and not found again") {
  struct Row {
    const char* why;
    std::function<void(Three&)> spoil;
    Verified want;
  };
  const Row rows[] = {
      {"a bit is another one",
       [](Three& t) {
         fs::permissions(t.file(0), fs::perms::owner_all);
         testing::flip_bits(t.file(0), testing::read_text(t.file(0)).substr(1'000, 16));
       },
       {.blobs = 2, .damaged = 1}},
      {"a file is shorter",
       [](Three& t) {
         fs::permissions(t.file(0), fs::perms::owner_all);
         fs::resize_file(t.file(0), 10);
       },
       {.blobs = 2, .damaged = 1}},
      {"two files have each other's place",
       [](Three& t) {
         fs::rename(t.file(0), t.dir / "between");
         fs::rename(t.file(1), t.file(0));
         fs::rename(t.dir / "between", t.file(1));
       },
       {.blobs = 1, .damaged = 2}},
      {"a file is gone", [](Three& t) { fs::remove(t.file(0)); }, {.blobs = 2, .missing = 1}},
      {"a record is gone",
       [](Three& t) { REQUIRE(testing::commit(t.cache->index(), {.blobs_gone = {t.blobs[0]}})); },
       {.blobs = 3, .unknown = 1}},
      {"a record has another size",
       [](Three& t) {
         REQUIRE(testing::commit(t.cache->index(), {.blobs = {{t.blobs[0], {.size = 1}}}}));
       },
       {.blobs = 3, .unknown = 1}},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    Three t;
    row.spoil(t);
    const auto found = t.cache->verify({});
    CHECK_FALSE(found.all_right());
    CHECK(found.blobs == row.want.blobs);
    CHECK(found.bytes == row.want.blobs * blob_bytes);
    CHECK(found.damaged == row.want.damaged);
    CHECK(found.missing == row.want.missing);
    CHECK(found.unknown == row.want.unknown);
    CHECK(found.records_damaged == 0);
    const auto by_verify = t.cache->stats().damaged.at(static_cast<std::size_t>(FoundBy::verify));
    CHECK(by_verify == row.want.damaged);
    const auto again = t.cache->verify({});
    CHECK(again.all_right());
    CHECK(again.blobs == row.want.blobs);
    CHECK(t.cache->stats().totals.blobs == row.want.blobs);
    CHECK(t.cache->stats().totals.blob_bytes == row.want.blobs * blob_bytes);
  }
}

TEST_CASE("it says how far it is, and stops when it is told to") {
  Three t;
  std::vector<std::uint64_t> seen;
  const auto all = t.cache->verify([&seen](std::uint64_t done, std::uint64_t total) {
    CHECK(total == 3 * blob_bytes);
    CHECK(done <= total);
    seen.push_back(done);
    return true;
  });
  CHECK(all.blobs == 3);
  REQUIRE(seen.size() >= 3);
  CHECK(seen.back() == 3 * blob_bytes);
  const auto stopped = t.cache->verify([](std::uint64_t, std::uint64_t) { return false; });
  CHECK(stopped.stopped);
  CHECK(stopped.blobs == 0);
}

TEST_CASE("blobs that were suspect are not after it") {
  Three t;
  t.cache.reset();
  testing::pretend_power_cut(t.dir.path());
  t.cache = open_cache(t.dir.path());
  CHECK_FALSE(t.cache->open_blob(t.blobs[0]));
  CHECK(t.cache->verify({}).all_right());
  CHECK(t.cache->open_blob(t.blobs[0]));
}

}  // namespace
}  // namespace archway::cache
