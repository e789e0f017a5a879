#include "cache/blob_keeper.hpp"

#include "cache/paths.hpp"
#include "tests/cache/support.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <string>
#include <vector>

namespace archway::cache {
namespace {

namespace fs = std::filesystem;
using testing::bytes_of;
using testing::digest_of;

/// Files and an index, as a cache has them.
struct Kept {
  Kept()
      : store(std::make_shared<const FileHandle>(::open(dir.path().c_str(), O_RDONLY)), false,
              nullptr) {
    REQUIRE(store.open(dir.path()));
    index = *Index::open(dir / "index");
    keeper.emplace(&store, index.get());
  }
  ~Kept() { index.reset(); }  // Before the keeper, which hears of its last commits.

  /// A blob's file without a record.
  Digest put(const testing::Bytes& bytes) {
    const auto digest = digest_of(bytes);
    const auto part = store.create_part(digest, bytes.size());
    REQUIRE(part);
    const auto size = static_cast<ssize_t>(bytes.size());
    REQUIRE(::pwrite((*part)->get(), bytes.data(), bytes.size(), 0) == size);
    REQUIRE(store.publish(digest, **part, bytes.size()));
    return digest;
  }
  void record(const Digest& digest, BlobRecord record) {
    REQUIRE(testing::commit(*index, {.blobs = {{digest, record}}}));
  }
  void settle() { REQUIRE(testing::commit(*index, {})); }  // All commits before are done.

  testing::TempDir dir;
  BlobStore store;
  std::unique_ptr<Index> index;
  std::optional<BlobKeeper> keeper;
};

TEST_CASE("a blob is suspect unless it was checked since that time, and not once it has passed") {
  Kept k;
  const auto since = k.index->suspect_before();
  struct Row {
    const char* why;
    std::optional<std::int64_t> checked_at;  ///< none: it has no record
    bool suspect;
  };
  const Row rows[] = {{"no record", std::nullopt, true},
                      {"never checked", 0, true},
                      {"checked a second too early", since - 1, true},
                      {"checked in that second", since, false},
                      {"checked later", since + 1, false}};
  std::uint32_t seed = 0;
  for (const auto& row : rows) {
    CAPTURE(row.why);
    const auto digest = k.put(bytes_of(50, ++seed));
    if (row.checked_at) {
      k.record(digest, {.size = 50, .arrived_at = 7, .checked_at = *row.checked_at});
    }
    for (const auto& seen : {k.keeper->open(digest), k.keeper->look(digest)}) {
      REQUIRE(seen.blob);
      CHECK(seen.suspect == row.suspect);
      CHECK((seen.arrived_at == 7) == row.checked_at.has_value());
    }
    k.keeper->passed({{.digest = digest, .size = 50, .arrived_at = 7}});
    CHECK_FALSE(k.keeper->open(digest).suspect);  // At once,
    k.settle();
    CHECK_FALSE(k.keeper->open(digest).suspect);  // and for good.
    CHECK(k.index->find_blob(digest)->checked_at >= since);
    CHECK(k.index->find_blob(digest)->arrived_at == 7);
  }
}

TEST_CASE("what does not fit together is put right by open() and only seen by look()") {
  Kept k;
  const auto digest = k.put(bytes_of(50));
  k.record(digest, {.size = 51, .checked_at = k.index->checking_time()});
  CHECK_FALSE(k.keeper->look(digest).blob);
  CHECK(fs::exists(k.dir / paths::blob(digest)));
  CHECK_FALSE(k.keeper->open(digest).blob);
  k.settle();
  CHECK_FALSE(k.index->find_blob(digest));
  CHECK(fs::exists(k.dir / paths::quarantined(digest)));
  CHECK(k.keeper->damaged().at(static_cast<std::size_t>(FoundBy::size)) == 1);

  k.record(digest, {.size = 50});
  CHECK_FALSE(k.keeper->look(digest).blob);
  k.settle();
  CHECK(k.index->find_blob(digest));
  CHECK_FALSE(k.keeper->open(digest).blob);
  k.settle();
  CHECK_FALSE(k.index->find_blob(digest));
}

TEST_CASE("a condemned blob is gone and counted by how it was found") {
  Kept k;
  const auto digest = k.put(bytes_of(50));
  k.keeper->passed({{.digest = digest, .size = 50}});
  k.keeper->condemn(digest, *k.keeper->open(digest).blob, "a test", FoundBy::scrub);
  k.settle();
  CHECK_FALSE(k.keeper->open(digest).blob);
  CHECK_FALSE(k.index->find_blob(digest));
  CHECK(k.keeper->damaged() == DamageCounts{0, 0, 1, 0, 0});
  // What comes in its place has to pass by itself.
  k.put(bytes_of(50));
  CHECK(k.keeper->open(digest).suspect);
}

TEST_CASE("damage that many see is one damage, and what has taken its place stays") {
  Kept k;
  const auto digest = k.put(bytes_of(50));
  const auto seen = *k.keeper->open(digest).blob;
  k.keeper->condemn(digest, seen, "a test", FoundBy::serving);
  k.keeper->condemn(digest, seen, "a test", FoundBy::serving);
  CHECK(k.keeper->damaged() == DamageCounts{0, 0, 0, 1, 0});
  k.put(bytes_of(50));
  k.keeper->passed({{.digest = digest, .size = 50}});
  k.settle();
  k.keeper->condemn(digest, seen, "a test", FoundBy::serving);
  k.settle();
  CHECK(k.keeper->open(digest).blob);
  CHECK(k.index->find_blob(digest));
  CHECK(k.keeper->damaged() == DamageCounts{0, 0, 0, 1, 0});
}

TEST_CASE("how damage was found has a name of its own each") {
  std::vector<std::string> names;
  for (const auto by : found_by_all) names.emplace_back(name(by));
  CHECK(names == std::vector<std::string>{"size", "recheck", "scrub", "serving", "verify"});
}

}  // namespace
}  // namespace archway::cache
