#include "cache/reconcile.hpp"

#include "cache/paths.hpp"
#include "tests/cache/support.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <set>
#include <string>
#include <vector>

namespace archway::cache {
namespace {

namespace fs = std::filesystem;
using testing::bytes_of;
using testing::digest_of;

constexpr std::size_t blob_bytes = 1000;

/// Files and an index as an earlier process left them, and the books of this one.
struct Found {
  Found()
      : store(std::make_shared<const FileHandle>(::open(dir.path().c_str(), O_RDONLY)), false,
              nullptr) {
    REQUIRE(store.open(dir.path()));
    index = *Index::open(dir / "index");
  }

  Digest file(std::uint32_t number) {
    const auto bytes = bytes_of(blob_bytes, number);
    const auto digest = digest_of(bytes);
    const auto part = store.create_part(digest, bytes.size());
    REQUIRE(part);
    const auto size = static_cast<ssize_t>(bytes.size());
    REQUIRE(::pwrite((*part)->get(), bytes.data(), bytes.size(), 0) == size);
    REQUIRE(store.publish(digest, **part, bytes.size()));
    return digest;
  }
  Digest record(std::uint32_t number, std::int64_t arrived_at = 5) {
    const auto digest = digest_of(bytes_of(blob_bytes, number));
    REQUIRE(testing::commit(
        *index,
        {.blobs = {{digest, {.size = blob_bytes, .arrived_at = arrived_at, .checked_at = 7}}}}));
    return digest;
  }
  Digest blob(std::uint32_t number, std::int64_t arrived_at = 5) {
    file(number);
    return record(number, arrived_at);
  }

  /// The process starts, and the pass goes on to its end.
  void start(const SpaceLimits& limits = {}, const Reconcile::Excluded& excluded = {}) {
    space.emplace(limits, Space::Parts{.store = &store,
                                       .index = index.get(),
                                       .is_filling = [this](const Digest& digest) {
                                         return filling.contains(digest);
                                       }});
    pass.emplace(&store, index.get(), &*space, excluded);
    go_on();
  }
  void go_on() {
    while (pass->step() < Reconcile::idle) {
    }
    CHECK(pass->is_done());
  }

  testing::TempDir dir{testing::in_memory()};
  BlobStore store;
  std::unique_ptr<Index> index;
  std::set<Digest> filling;
  std::optional<Space> space;
  std::optional<Reconcile> pass;
};

TEST_CASE("a record without a file goes, unless its blob is just being brought") {
  Found f;
  const auto whole = f.blob(1);
  const auto gone = f.record(2);
  const auto coming = f.record(3);
  f.filling.insert(coming);
  f.start();
  CHECK(f.index->find_blob(whole));
  CHECK_FALSE(f.index->find_blob(gone));
  CHECK(f.index->find_blob(coming));
  CHECK(f.space->usage().published == blob_bytes);
}

TEST_CASE("no record goes because its file cannot be looked for") {
  Found f;
  const auto one = f.blob(1);
  const auto other = f.blob(2);
  fs::rename(f.dir / "blobs", f.dir / "elsewhere");
  testing::write_text(f.dir / "blobs", "not a directory");
  f.start();
  for (const auto& digest : {one, other}) CHECK(f.index->find_blob(digest));
  CHECK(f.space->usage().published == 2 * blob_bytes);
  fs::remove(f.dir / "blobs");
  f.pass->begin_again();
  f.go_on();
  for (const auto& digest : {one, other}) CHECK_FALSE(f.index->find_blob(digest));
  CHECK(f.space->usage().published == 0);
}

TEST_CASE("a file without a record gets one, is counted, and is suspect") {
  Found f;
  f.blob(1);
  const auto unknown = f.file(2);
  const auto coming = f.file(3);
  f.filling.insert(coming);
  f.start();
  const auto record = f.index->find_blob(unknown);
  REQUIRE(record);
  CHECK(record->size == blob_bytes);
  CHECK(record->checked_at == 0);
  CHECK(record->arrived_at > 0);
  CHECK_FALSE(f.index->find_blob(coming));
  CHECK(f.space->usage().published == 2 * blob_bytes);
  CHECK(f.index->totals().blob_bytes == 2 * blob_bytes);
}

TEST_CASE("what is no blob is left alone") {
  Found f;
  const auto blob = f.blob(1);
  const auto directory = (f.dir / paths::blob(blob)).parent_path();
  testing::write_text(directory / "notes.txt", "odd");
  testing::write_text(directory / std::string(64, '!'), "odd");
  fs::create_directory(directory / (blob.hex().substr(0, 60) + "0000"));
  fs::copy_file(f.dir / paths::blob(blob), f.dir / "blobs/stray");
  f.start();
  CHECK(f.index->totals().blobs == 1);
  CHECK(testing::entries(directory) == 4);
  CHECK(fs::exists(f.dir / "blobs/stray"));
}

TEST_CASE("after the pass the blobs go in the order in which they arrived") {
  Found f;
  std::vector<Digest> blobs;
  constexpr std::uint32_t many = 600;  // More than two pages.
  for (std::uint32_t i = 0; i < many; ++i) blobs.push_back(f.blob(i, 1000 + (i * 7) % many));
  f.start({.max_size = many * blob_bytes});
  CHECK(f.space->usage().published == many * blob_bytes);
  REQUIRE(f.space->reserve(blob_bytes * many / 2));
  for (std::uint32_t i = 0; i < many; ++i) {
    CAPTURE(i);
    const auto age = (i * 7) % many;
    if (age < 290) CHECK_FALSE(f.store.facts(blobs[i]));
    if (age > 340) CHECK(f.store.facts(blobs[i]));
    CHECK(f.index->find_blob(blobs[i]).has_value() == f.store.facts(blobs[i]).has_value());
  }
}

TEST_CASE("a full cache refuses until the pass knows what may go") {
  Found f;
  for (std::uint32_t i = 0; i < 10; ++i) f.blob(i);
  const SpaceLimits limits{.max_size = 10 * blob_bytes};
  Space early(limits, {.store = &f.store, .index = f.index.get(), .is_filling = [](const Digest&) {
                         return false;
                       }});
  CHECK_FALSE(early.reserve(1));
  f.start(limits);
  CHECK(f.space->reserve(1));
}

TEST_CASE("blobs of excluded platforms alone go first, whoever was asked for last") {
  Found f;
  const auto other = f.blob(1);
  const auto excluded = f.blob(2);
  const auto shared = f.blob(3);
  const auto nobodys = f.blob(4);
  REQUIRE(testing::commit(*f.index, {.grants = {{testing::image("a"), other, "linux/arm64"},
                                                {testing::image("a"), excluded, "linux/s390x"},
                                                {testing::image("b"), excluded, "linux/s390x"},
                                                {testing::image("a"), shared, "linux/s390x"},
                                                {testing::image("b"), shared, "linux/arm64"}}}));
  bool s390x_is_excluded = true;
  f.start({.max_size = 4 * blob_bytes}, [&](const std::string& platform) {
    return s390x_is_excluded && platform == "linux/s390x";
  });
  f.space->lend(excluded, *f.store.find(excluded).blob);
  REQUIRE(f.space->reserve(1));
  CHECK_FALSE(f.store.facts(excluded));
  for (const auto& digest : {other, shared, nobodys}) CHECK(f.store.facts(digest));
}

TEST_CASE("a pass that is asked for finds what has changed, and counts nothing twice") {
  Found f;
  f.blob(1);
  f.start();
  f.file(2);
  fs::remove(f.dir / paths::blob(digest_of(bytes_of(blob_bytes, 1))));
  f.go_on();
  CHECK(f.index->totals().blobs == 1);
  f.pass->begin_again();
  f.go_on();
  CHECK(f.space->usage().published == blob_bytes);
  CHECK(f.index->find_blob(digest_of(bytes_of(blob_bytes, 2))));
  CHECK_FALSE(f.index->find_blob(digest_of(bytes_of(blob_bytes, 1))));
  f.pass->begin_again();
  f.go_on();
  CHECK(f.space->usage().published == blob_bytes);
}

}  // namespace
}  // namespace archway::cache
