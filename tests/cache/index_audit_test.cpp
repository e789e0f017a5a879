#include "cache/index_audit.hpp"

#include "tests/cache/disk_calls.hpp"
#include "tests/cache/support.hpp"

#include <cerrno>
#include <doctest/doctest.h>
#include <memory>

namespace archway::cache {
namespace {

using testing::bytes_of;
using testing::digest_of;

/// An index with two blobs and a tag, closed.
struct Written {
  Written() {
    auto index = Index::open(dir.path());
    REQUIRE(index);
    REQUIRE(testing::commit(
        **index, {.tags = {{{testing::image("library/hi"), testing::tag("1")}, {.digest = one}}},
                  .blobs = {{one, {.size = 100}}, {two, {.size = 20}}}}));
  }
  std::unique_ptr<lmdb::Environment> open() const {
    auto opened = lmdb::Environment::open(dir.path(), map_bytes_default);
    REQUIRE(opened.code == 0);
    REQUIRE(opened.environment->find_tables() == 0);
    return std::move(opened.environment);
  }
  /// Puts this where the record of a blob belongs.
  void put(const Digest& digest, const std::string& value) const {
    const auto environment = open();
    lmdb::WriteTxn txn(*environment);
    txn.put(lmdb::Table::blobs, codec::digest_key(digest), value);
    REQUIRE(txn.commit() == 0);
  }

  testing::TempDir dir;
  Digest one = digest_of(bytes_of(1));
  Digest two = digest_of(bytes_of(2));
};

TEST_CASE("a sound index has no damage and right sums, also an empty one") {
  const Written w;
  const auto audit = audit_index(*w.open()).found;
  CHECK(audit.damaged == 0);
  CHECK(audit.sums_right);
  const testing::TempDir dir;
  REQUIRE(Index::open(dir.path()));
  auto empty = lmdb::Environment::open(dir.path(), map_bytes_default);
  REQUIRE(empty.environment->find_tables() == 0);
  CHECK(audit_index(*empty.environment).found.damaged == 0);
  CHECK(audit_index(*empty.environment).found.sums_right);
}

TEST_CASE("a record that cannot be read counts, and makes the sums wrong") {
  const Written w;
  w.put(w.two, "not what was written");
  const auto audit = audit_index(*w.open()).found;
  CHECK(audit.damaged == 1);
  CHECK_FALSE(audit.sums_right);
}

/// A manifest whose record is damaged while the index is open.
ManifestRecord damage_one(const Written& w, Index& index) {
  const ManifestRecord manifest{.media_type = "m", .bytes = "a marker that is nowhere else"};
  REQUIRE(testing::commit(index, {.manifests = {{w.two, manifest}}}));
  CHECK(testing::flip_bits(w.dir / "data.mdb", manifest.bytes) >= 1);
  CHECK(index.audit().damaged == 1);
  return manifest;
}

TEST_CASE("a record that cannot be read is taken away by the next commit, and no other") {
  const Written w;
  auto index = *Index::open(w.dir.path());
  damage_one(w, *index);
  REQUIRE(testing::commit(*index, {}));
  CHECK(index->audit().damaged == 0);
  CHECK(index->totals().manifests == 0);
  CHECK(index->totals().blob_bytes == 120);
  CHECK(index->find_tag(testing::image("library/hi"), testing::tag("1")));
}

TEST_CASE("a record that was written anew since it was found stays") {
  const Written w;
  auto index = *Index::open(w.dir.path());
  const auto manifest = damage_one(w, *index);
  REQUIRE(testing::commit(*index, {.manifests = {{w.two, manifest}}}));
  CHECK(index->find_manifest(w.two));
}

TEST_CASE("sums that are wrong are found, and counted anew") {
  const Written w;
  const auto key = codec::digest_key(w.two);
  w.put(w.two, codec::write(key, BlobRecord{.size = 21}));
  auto index = *Index::open(w.dir.path());
  CHECK(index->totals().blob_bytes == 120);
  const auto audit = index->audit();
  CHECK(audit.damaged == 0);
  CHECK_FALSE(audit.sums_right);
  REQUIRE(testing::commit(*index, {}));
  CHECK(index->totals().blob_bytes == 121);
  CHECK(index->audit().sums_right);
}

TEST_CASE("sums that could not be written are counted anew by the next commit that can") {
  const Written w;
  w.put(w.two, codec::write(codec::digest_key(w.two), BlobRecord{.size = 21}));
  auto index = *Index::open(w.dir.path());
  CHECK_FALSE(index->audit().sums_right);
  {
    testing::DiskCalls calls(w.dir.path());
    calls.fail("sync data.mdb", EIO);
    CHECK_FALSE(testing::commit(*index, {}));
  }
  REQUIRE(testing::commit(*index, {}));
  CHECK(index->totals().blob_bytes == 121);
  CHECK(index->audit().sums_right);
}

}  // namespace
}  // namespace archway::cache
