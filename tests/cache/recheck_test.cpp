#include "cache/recheck.hpp"

#include "cache/paths.hpp"
#include "tests/cache/support.hpp"

#include <doctest/doctest.h>
#include <functional>
#include <string>
#include <vector>

namespace archway::cache {
namespace {

namespace fs = std::filesystem;
using testing::Bytes;
using testing::bytes_of;
using testing::digest_of;
using testing::end_of;
using testing::open_cache;
using testing::publish;

constexpr auto kept = Fill::withheld_bytes;
constexpr const char* hi = "docker.io/library/hi";

/// One flipped bit of a blob's file.
void flip(const fs::path& directory, const Digest& digest, std::size_t at) {
  const auto path = directory / paths::blob(digest);
  fs::permissions(path, fs::perms::owner_all);
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekg(static_cast<std::streamoff>(at));
  const auto byte = static_cast<char>(file.get() ^ 1);
  file.seekp(static_cast<std::streamoff>(at)).put(byte);
  REQUIRE(file.flush().good());
}

TEST_CASE("after a power cut a blob is hashed before its end is served, once, and is a hit then") {
  for (const bool sync : {true, false}) {
    for (const std::size_t size : {std::size_t{0}, std::size_t{1'000}, 5 * kept,
                                   std::size_t{Recheck::unseen_bytes_max + 3 * kept}}) {
      CAPTURE(size);
      const testing::TempDir dir;
      const auto bytes = bytes_of(size);
      const auto digest = publish(*open_cache(dir.path(), sync), bytes);
      testing::pretend_power_cut(dir.path());
      {
        const auto cache = open_cache(dir.path(), sync);
        CHECK_FALSE(cache->open_blob(digest));
        const auto access = cache->open_or_join(digest, hi);
        CHECK_FALSE(access.blob);
        CHECK(access.writer == nullptr);
        REQUIRE(access.fill != nullptr);
        CHECK(access.fill->begun_by().empty());
        const auto state = end_of(*access.fill);
        CHECK(state.verified);
        CHECK(state.size == size);
        CHECK(testing::read_bytes(access.fill->file()->get(), state.released) == bytes);
        CHECK(cache->open_blob(digest));
        CHECK(cache->find_fill(digest) == nullptr);
        CHECK(cache->stats().rechecks_in_progress == 0);
        CHECK(cache->stats().totals.blobs == 1);
      }
      const auto cache = open_cache(dir.path(), sync);
      CHECK(cache->open_blob(digest));
      const auto record = cache->index().find_blob(digest);
      REQUIRE(record);
      CHECK(record->checked_at >= cache->index().suspect_before());
    }
  }
}

TEST_CASE("only a power cut, or an index that is not the one before, makes blobs suspect") {
  struct Row {
    const char* why;
    std::function<void(const fs::path& directory)> happens;
    bool suspect;
  };
  const auto header = [](bool clean, const char* boot_id) {
    return [=](const fs::path& directory) {
      testing::rewrite_header(directory / "index", {.clean = clean, .boot_id = boot_id});
    };
  };
  const auto this_boot = testing::read_text("/proc/sys/kernel/random/boot_id").substr(0, 36);
  const Row rows[] = {
      {"nothing", [](auto&) {}, false},
      {"closed in order, then another boot", header(true, "another"), false},
      {"killed, the same boot", header(false, this_boot.c_str()), false},
      {"killed, another boot", header(false, "another"), true},
      {"killed, nobody knows in which boot", header(false, ""), true},
      {"the index comes from its snapshot",
       [](auto& directory) { fs::remove(directory / "index/data.mdb"); }, true},
      {"the index is new", [](auto& directory) { fs::remove_all(directory / "index"); }, true},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    const testing::TempDir dir;
    const auto digest = publish(*open_cache(dir.path()), bytes_of(100));
    row.happens(dir.path());
    {
      const auto cache = open_cache(dir.path());
      CHECK(cache->open_blob(digest).has_value() == !row.suspect);
      // What arrives from now on is not.
      CHECK(cache->open_blob(publish(*cache, bytes_of(200))));
    }
    const auto cache = open_cache(dir.path());  // Nor does an orderly end make it better or worse.
    CHECK(cache->open_blob(digest).has_value() == !row.suspect);
    CHECK(cache->open_blob(digest_of(bytes_of(200))));
  }
}

TEST_CASE("a clock that is years behind makes no suspect blob a good one") {
  const testing::TempDir dir;
  const auto digest = digest_of(bytes_of(100));
  {
    const auto cache = open_cache(dir.path());
    publish(*cache, bytes_of(100));
    auto record = *cache->index().find_blob(digest);
    record.checked_at += 1'000'000'000;  // As if the clock had been right then, and is not now.
    REQUIRE(testing::commit(cache->index(), {.blobs = {{digest, record}}}));
  }
  CHECK(open_cache(dir.path())->open_blob(digest));
  testing::pretend_power_cut(dir.path());
  const auto cache = open_cache(dir.path());
  CHECK_FALSE(cache->open_blob(digest));
  CHECK(cache->open_blob(publish(*cache, bytes_of(200))));
}

TEST_CASE(
    "a flipped bit is never served whole, goes to quarantine, and the next one fetches anew") {
  struct Row {
    const char* why;
    std::size_t size;
    std::size_t at;
    bool begun;  ///< clients have seen its headers
  };
  constexpr std::size_t large = Recheck::unseen_bytes_max + 3 * kept;
  const Row rows[] = {{"a small one", 100, 50, false},
                      {"the first byte", large, 0, true},
                      {"the last byte", large, large - 1, true},
                      {"as large as may be unseen", Recheck::unseen_bytes_max, 7, false}};
  for (const auto& row : rows) {
    CAPTURE(row.why);
    const testing::TempDir dir;
    const auto bytes = bytes_of(row.size);
    const auto digest = publish(*open_cache(dir.path()), bytes);
    testing::pretend_power_cut(dir.path());
    flip(dir.path(), digest, row.at);
    const auto cache = open_cache(dir.path());
    const auto access = cache->open_or_join(digest, hi);
    REQUIRE(access.fill != nullptr);
    const auto state = end_of(*access.fill);
    REQUIRE(state.failed);
    CHECK(state.failed->code == Errc::storage_failed);
    CHECK(state.failed->retryable);
    CHECK(state.failed->context.find(digest.str()) != std::string::npos);
    CHECK(state.begun == row.begun);
    CHECK(state.released <= row.size - std::min<std::size_t>(row.size, kept));
    CHECK(fs::exists(dir / paths::quarantined(digest)));
    const auto stats = cache->stats();
    CHECK(stats.quarantined == 1);
    CHECK(stats.damaged.at(static_cast<std::size_t>(FoundBy::recheck)) == 1);
    CHECK(stats.rechecks_in_progress == 0);
    const auto next = cache->open_or_join(digest, hi);
    REQUIRE(next.writer != nullptr);
    REQUIRE(next.writer->append(bytes));
    REQUIRE(next.writer->finish());
    CHECK(testing::read_bytes(*cache->open_blob(digest)) == bytes);
  }
}

TEST_CASE("everybody who asks for a suspect blob follows the same one") {
  const testing::TempDir dir;
  const auto bytes = bytes_of(100'000);
  std::vector<Digest> digests;
  {
    const auto cache = open_cache(dir.path());
    for (std::uint32_t i = 0; i < 10; ++i) digests.push_back(publish(*cache, bytes_of(90'000, i)));
  }
  testing::pretend_power_cut(dir.path());
  const auto cache = open_cache(dir.path());
  std::vector<Cache::Access> all;
  for (int round = 0; round < 3; ++round) {
    for (const auto& digest : digests) all.push_back(cache->open_or_join(digest, hi));
  }
  for (const auto& access : all) {
    CHECK(access.writer == nullptr);
    if (!access.blob) CHECK(end_of(*access.fill).verified);
  }
  CHECK(cache->stats().fills_in_progress == 0);
}

TEST_CASE("a damaged suspect that nothing can take out of the way is not tried over and over") {
  const testing::TempDir dir;
  const auto bytes = bytes_of(100);
  const auto digest = publish(*open_cache(dir.path()), bytes);
  testing::pretend_power_cut(dir.path());
  flip(dir.path(), digest, 5);
  const auto cache = open_cache(dir.path());
  // A directory from which nothing may be moved, for one who is not root.
  const auto shard = (dir / paths::blob(digest)).parent_path();
  for (auto path = shard; path != dir.path().parent_path(); path = path.parent_path()) {
    fs::permissions(path, fs::perms{0755});
  }
  fs::permissions(dir / paths::blob(digest), fs::perms{0444});
  {
    const testing::Unprivileged nobody;
    const auto access = cache->open_or_join(digest, hi);
    REQUIRE(access.fill != nullptr);
    CHECK(end_of(*access.fill).failed);
    CHECK_FALSE(cache->open_blob(digest));
    CHECK(cache->open_or_join(digest, hi).writer != nullptr);
  }
  CHECK(publish(*cache, bytes) == digest);  // In the place of the damaged one.
  CHECK(testing::read_bytes(*cache->open_blob(digest)) == bytes);
}

TEST_CASE("a cache that closes ends what it hashes, and its followers hear of it") {
  const testing::TempDir dir;
  std::vector<Digest> digests;
  {
    const auto cache = open_cache(dir.path());
    for (std::uint32_t i = 0; i < 8; ++i) digests.push_back(publish(*cache, bytes_of(5 << 20, i)));
  }
  testing::pretend_power_cut(dir.path());
  std::vector<std::shared_ptr<Fill>> fills;
  {
    const auto cache = open_cache(dir.path());
    for (const auto& digest : digests) fills.push_back(cache->open_or_join(digest, hi).fill);
  }
  for (const auto& fill : fills) {
    REQUIRE(fill != nullptr);
    const auto state = fill->state();
    CHECK((state.verified || (state.failed && state.failed->retryable)));
  }
  CHECK(testing::entries(dir / "quarantine") == 0);
}

}  // namespace
}  // namespace archway::cache
