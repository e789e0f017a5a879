#include "cache/index.hpp"

#include "cache/index_file.hpp"
#include "tests/cache/support.hpp"

#include <atomic>
#include <doctest/doctest.h>
#include <string>
#include <thread>
#include <vector>

namespace archway::cache {
namespace {

using testing::commit;
using testing::image;
using testing::tag;

const Digest one = *Digest::parse("sha256:" + std::string(64, '1'));
const Digest two = *Digest::parse("sha512:" + std::string(128, '2'));

const Platform arm{.os = "linux", .architecture = "arm", .variant = "v7"};

std::unique_ptr<Index> open(const testing::TempDir& dir) {
  auto index = Index::open(dir.path());
  if (!index) FAIL(index.error().message);
  return *std::move(index);
}

TEST_CASE("what was committed is found, before and after reopening") {
  const testing::TempDir dir;
  const auto golang = image("library/golang");
  const TagRecord record{.digest = one, .checked_at = 1'800'000'000};
  const ManifestRecord manifest{.media_type = "application/json", .bytes = "{}"};
  const BlobRecord blob{.size = 1'000, .arrived_at = 1'700'000'000};
  const SeenRecord seen{
      .image = golang, .tag = tag("1.22"), .pullers = {{.platform = arm, .last_pull = 1}}};
  const VirtualImage made{.name = golang, .tag = {}, .members = {{arm, image("arm/golang")}}};
  for (const bool reopened : {false, true}) {
    CAPTURE(reopened);
    const auto index = open(dir);
    if (!reopened) {
      CHECK_FALSE(index->find_tag(golang, tag("1.22")));
      CHECK_FALSE(index->find_manifest(one));
      CHECK_FALSE(index->find_blob(two));
      CHECK_FALSE(index->granted(golang, one));
      CHECK(index->all_seen(9).empty());
      CHECK(index->all_images(9).empty());
      REQUIRE(commit(*index, {.tags = {{{golang, tag("1.22")}, record}},
                              .manifests = {{one, manifest}},
                              .blobs = {{two, blob}},
                              .grants = {{golang, one, "linux/arm/v7"}},
                              .seen = {seen},
                              .images = {made}}));
    }
    CHECK(index->find_tag(golang, tag("1.22")) == record);
    CHECK_FALSE(index->find_tag(golang, tag("1.23")));
    CHECK_FALSE(index->find_tag(image("library/golang", "ghcr.io"), tag("1.22")));
    CHECK(index->find_manifest(one) == manifest);
    CHECK_FALSE(index->find_manifest(two));
    CHECK(index->find_blob(two) == blob);
    CHECK(index->granted(golang, one));
    CHECK(index->find_grant(golang, one)->platform == "linux/arm/v7");
    CHECK(index->find_grant(golang, one)->granted_at > 1'700'000'000);
    CHECK_FALSE(index->granted(golang, two));
    CHECK_FALSE(index->granted(image("library/rust"), one));
    CHECK(index->all_seen(9) == std::vector{seen});
    CHECK(index->all_images(9) == std::vector{made});
    CHECK(index->damaged() == 0);
  }
}

TEST_CASE("a grant is never claimed for one platform when several may need it") {
  struct Row {
    const char* why;
    std::vector<std::string> written;
    std::string want;
  };
  const Row rows[] = {
      {"nobody said", {""}, ""},
      {"the first write sets it", {"linux/arm64"}, "linux/arm64"},
      {"the same again", {"linux/arm64", "linux/arm64"}, "linux/arm64"},
      {"an image of unknown platform needs it, too", {"linux/arm64", ""}, ""},
      {"and stays so", {"linux/arm64", "", "linux/arm64"}, ""},
      {"another one", {"linux/arm64", "linux/amd64"}, ""},
      {"another one, then the first again", {"linux/arm64", "linux/amd64", "linux/arm64"}, ""},
      {"unknown at first: perhaps another's", {"", "linux/arm64"}, ""},
      {"unknown at first, then the same twice", {"", "linux/arm64", "linux/arm64"}, ""},
      {"a variant more is another platform", {"linux/arm/v7", "linux/arm/v6"}, ""},
  };
  for (const auto& row : rows) {
    for (const bool together : {false, true}) {
      CAPTURE(row.why);
      CAPTURE(together);
      const testing::TempDir dir;
      Changes all;
      for (const auto& platform : row.written) {
        if (!together) {
          REQUIRE(commit(*open(dir), {.grants = {{image("a"), one, platform}}}));
        }
        all.grants.emplace_back(image("a"), one, platform);
      }
      if (together) REQUIRE(commit(*open(dir), all));
      const auto found = open(dir)->find_grant(image("a"), one);
      REQUIRE(found);
      CHECK(found->platform == row.want);
    }
  }
}

TEST_CASE("grants of one group of commits follow the rule, too, and those of other names do not") {
  const testing::TempDir dir;
  {
    const auto index = open(dir);
    for (const char* platform : {"linux/arm64", "linux/amd64", "linux/arm64"}) {
      index->commit({.grants = {{image("a"), one, platform}}}, {});
    }
    index->commit({.grants = {{image("b"), one, "linux/arm64"}}}, {});
  }
  const auto index = open(dir);
  CHECK(index->find_grant(image("a"), one)->platform.empty());
  CHECK(index->find_grant(image("b"), one)->platform == "linux/arm64");
}

TEST_CASE("what is seen and virtual images are replaced, listed up to a bound, and go") {
  const testing::TempDir dir;
  const auto index = open(dir);
  const auto seen = [](const char* name, std::int64_t time) {
    return SeenRecord{
        .image = image("a"), .tag = tag(name), .pullers = {{.platform = arm, .last_pull = time}}};
  };
  const auto made = [](std::optional<Tag> of, const char* member) {
    return VirtualImage{
        .name = image("a"), .tag = std::move(of), .members = {{arm, image(member)}}};
  };
  REQUIRE(commit(*index, {.seen = {seen("1", 1), seen("2", 1), seen("1", 2)},
                          .images = {made({}, "b"), made(tag("1"), "c"), made({}, "d")}}));
  CHECK(index->all_seen(9).size() == 2);
  CHECK(index->all_seen(1).size() == 1);
  CHECK(index->all_seen(0).empty());
  CHECK(index->all_images(9).size() == 2);
  CHECK(index->all_images(1).size() == 1);
  REQUIRE(commit(*index, {.seen_gone = {{image("a"), tag("2")}, {image("b"), tag("1")}},
                          .images_gone = {{image("a"), tag("1")}, {image("a"), tag("2")}}}));
  CHECK(index->all_seen(9) == std::vector{seen("1", 2)});
  CHECK(index->all_images(9) == std::vector{made({}, "d")});
  REQUIRE(commit(*index, {.images_gone = {{image("a"), std::nullopt}}}));
  CHECK(index->all_images(9).empty());
  CHECK(index->damaged() == 0);
}

TEST_CASE("listings leave damaged records out and count them") {
  const testing::TempDir dir;
  Changes changes;
  for (const char* name : {"first-name", "second-name"}) {
    changes.seen.push_back({.image = image(name), .tag = tag("seen-tag"), .pullers = {}});
    changes.images.push_back({.name = image(name), .tag = tag("image-tag"), .members = {}});
  }
  const auto index = open(dir);
  REQUIRE(commit(*index, changes));
  REQUIRE(testing::flip_bits(dir / "data.mdb", "first-name") >= 2);
  CHECK(index->all_seen(9) == std::vector{changes.seen[1]});
  CHECK(index->damaged() == 1);
  CHECK(index->all_images(9) == std::vector{changes.images[1]});
  CHECK(index->damaged() == 2);
}

TEST_CASE("a grant written over a damaged one is nobody's: it may have been several's") {
  const testing::TempDir dir;
  const auto index = open(dir);
  REQUIRE(commit(*index, {.grants = {{image("granted-name"), one, "linux/arm64"}}}));
  REQUIRE(testing::flip_bits(dir / "data.mdb", "granted-name") > 0);
  CHECK_FALSE(index->granted(image("granted-name"), one));
  REQUIRE(commit(*index, {.grants = {{image("granted-name"), one, "linux/arm64"}}}));
  CHECK(index->find_grant(image("granted-name"), one)->platform.empty());
}

TEST_CASE("what a name was given it keeps, whoever names it before or later") {
  const testing::TempDir dir;
  const auto index = open(dir);
  const auto name = image("library/golang");
  const Grant named(name, one, "linux/arm64");
  const Grant given(name, one, "linux/arm64", Proof::given);
  REQUIRE(commit(*index, {.grants = {named}}));
  CHECK(index->find_grant(name, one)->proof == Proof::named);
  REQUIRE(commit(*index, {.grants = {given}}));
  CHECK(index->find_grant(name, one)->proof == Proof::given);
  REQUIRE(commit(*index, {.grants = {named}}));
  CHECK(index->find_grant(name, one)->proof == Proof::given);
  CHECK(index->find_grant(name, one)->platform == "linux/arm64");
}

TEST_CASE("totals follow every change and survive a restart") {
  const testing::TempDir dir;
  const auto check = [](const Index& index, Index::Totals want) {
    const auto got = index.totals();
    CHECK(got.blobs == want.blobs);
    CHECK(got.blob_bytes == want.blob_bytes);
    CHECK(got.manifests == want.manifests);
    CHECK(got.tags == want.tags);
  };
  {
    const auto index = open(dir);
    check(*index, {});
    REQUIRE(commit(*index, {.tags = {{{image("a"), tag("t")}, {.digest = one}}},
                            .manifests = {{one, {.media_type = "m", .bytes = "b"}}},
                            .blobs = {{one, {.size = 10}}, {two, {.size = 5}}}}));
    check(*index, {.blobs = 2, .blob_bytes = 15, .manifests = 1, .tags = 1});
    REQUIRE(commit(*index, {.blobs = {{one, {.size = 7}}}}));  // The same blob again.
    check(*index, {.blobs = 2, .blob_bytes = 12, .manifests = 1, .tags = 1});
    REQUIRE(commit(*index, {.tags_gone = {{image("a"), tag("t")}, {image("a"), tag("none")}},
                            .blobs_gone = {two, two}}));
    check(*index, {.blobs = 1, .blob_bytes = 7, .manifests = 1, .tags = 0});
  }
  const auto index = open(dir);
  check(*index, {.blobs = 1, .blob_bytes = 7, .manifests = 1, .tags = 0});
  CHECK_FALSE(index->find_tag(image("a"), tag("t")));
  CHECK_FALSE(index->find_blob(two));
}

TEST_CASE("a record with a flipped bit is not given out, is counted, and can be written anew") {
  struct Row {
    const char* why;
    std::string pattern;  ///< that occurs in one record alone
  };
  const Row rows[] = {{"a tag", "tagged-name"},
                      {"a manifest", "manifest-bytes"},
                      {"a blob", std::string("\x88\x77\x66\x55\x44\x33\x22\x11", 8)},
                      {"a grant", "granted-name"}};
  for (const auto& row : rows) {
    CAPTURE(row.why);
    const testing::TempDir dir;
    const auto tagged = image("tagged-name");
    const auto granted = image("granted-name");
    const Changes all{.tags = {{{tagged, tag("t")}, {.digest = one}}},
                      .manifests = {{one, {.media_type = "m", .bytes = "manifest-bytes"}}},
                      .blobs = {{one, {.size = 0x1122334455667788}}},
                      .grants = {{granted, one}}};
    const auto index = open(dir);
    REQUIRE(commit(*index, all));
    REQUIRE(testing::flip_bits(dir / "data.mdb", row.pattern) > 0);
    const auto found = [&] {
      return int(index->find_tag(tagged, tag("t")).has_value()) +
             int(index->find_manifest(one).has_value()) + int(index->find_blob(one).has_value()) +
             int(index->granted(granted, one));
    };
    CHECK(found() == 3);
    CHECK(index->damaged() == 1);
    REQUIRE(commit(*index, all));
    CHECK(found() == 4);
    CHECK(index->damaged() == 1);
    CHECK(index->totals().blob_bytes == 0x1122334455667788);
  }
}

TEST_CASE("a sum of sizes that is lost is counted anew") {
  const testing::TempDir dir;
  REQUIRE(commit(*open(dir), {.blobs = {{one, {.size = 0x0102030405060708}}, {two, {.size = 1}}}}));
  {
    auto file = open_index_file(dir.path());
    REQUIRE(file);
    lmdb::WriteTxn txn(*file->environment);
    txn.erase(lmdb::Table::meta, codec::blob_bytes_key());
    REQUIRE(txn.commit() == 0);
  }
  const auto index = open(dir);
  REQUIRE(commit(*index, {.blobs = {{two, {.size = 2}}}}));
  CHECK(index->totals().blob_bytes == 0x010203040506070a);
}

TEST_CASE("a record of nobody knows when never takes the place of one that says more") {
  const testing::TempDir dir;
  const auto index = open(dir);
  const BlobRecord found{.size = 5, .arrived_at = 1, .checked_at = 0};
  REQUIRE(commit(*index, {.blobs = {{one, found}}}));
  CHECK(index->find_blob(one) == found);
  const BlobRecord hashed{.size = 5, .arrived_at = 2, .checked_at = 3};
  REQUIRE(commit(*index, {.blobs = {{one, hashed}}}));
  REQUIRE(commit(*index, {.blobs = {{one, found}}}));
  CHECK(index->find_blob(one) == hashed);
  const BlobRecord other_size{.size = 6, .arrived_at = 1, .checked_at = 0};
  REQUIRE(commit(*index, {.blobs = {{one, other_size}}}));
  CHECK(index->find_blob(one) == other_size);
  CHECK(index->totals().blob_bytes == 6);
}

TEST_CASE("changes queued when the index closes are committed") {
  const testing::TempDir dir;
  std::atomic<int> answered = 0;
  {
    const auto index = open(dir);
    for (std::uint32_t i = 0; i < 500; ++i) {
      index->commit({.blobs = {{testing::digest_of(testing::bytes_of(4, i)), {.size = 1}}}},
                    [&](const Result<void>& result) { answered += result ? 1 : 0; });
    }
    index->commit({.blobs = {{one, {.size = 1}}}}, {});  // Nobody has to wait for the answer.
  }
  CHECK(answered == 500);
  CHECK(open(dir)->totals().blobs == 501);
}

TEST_CASE("readers and writers on many threads see whole commits only") {
  const testing::TempDir dir;
  const auto index = open(dir);
  REQUIRE(commit(*index, {.blobs = {{one, {.size = 0}}, {two, {.size = 0}}}}));
  std::atomic<bool> ended = false;
  std::atomic<int> wrong = 0;
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      while (!ended) {
        const auto second = index->find_blob(two);  // Committed with, or after, what is read next.
        const auto first = index->find_blob(one);
        if (!first || !second || first->size < second->size) ++wrong;
      }
    });
  }
  for (std::uint64_t i = 1; i <= 20; ++i) {
    CHECK(commit(*index, {.blobs = {{one, {.size = i}}, {two, {.size = i}}}}));
  }
  ended = true;
  for (auto& reader : readers) reader.join();
  CHECK(wrong == 0);
  CHECK(index->damaged() == 0);
}

}  // namespace
}  // namespace archway::cache
