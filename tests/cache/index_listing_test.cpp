#include "tests/cache/support.hpp"

#include <doctest/doctest.h>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace archway::cache {
namespace {

using testing::commit;
using testing::image;
using testing::tag;

constexpr std::uint32_t many = 25;
constexpr std::size_t page = 4;

std::unique_ptr<Index> open(const testing::TempDir& dir) {
  auto index = Index::open(dir.path());
  if (!index) FAIL(index.error().message);
  return *std::move(index);
}

Digest number(std::uint32_t i) {
  return testing::digest_of(testing::bytes_of(8, i));
}

/// One of each table for every number.
Changes everything() {
  Changes all;
  for (std::uint32_t i = 0; i < many; ++i) {
    const auto name = image("name-" + std::to_string(i));
    all.tags.push_back({{name, tag("t")}, {.digest = number(i), .checked_at = i}});
    all.blobs.emplace_back(number(i), BlobRecord{.size = i, .arrived_at = i, .checked_at = i});
    all.manifests.emplace_back(number(i),
                               ManifestRecord{.media_type = "m", .bytes = std::string(i, 'x')});
    all.grants.emplace_back(name, number(i), "linux/arm64");
    all.pins.push_back({.image = name, .what = tag("t"), .since = i});
  }
  return all;
}

/// Walks all of a table by pages; every page but the last is full.
template <class Entry, class Next, class Key>
std::vector<Entry> walk(Next next, Key key_of) {
  std::vector<Entry> all;
  std::optional<decltype(key_of(all.front()))> after;
  for (;;) {
    const std::vector<Entry> entries = next(after);
    all.insert(all.end(), entries.begin(), entries.end());
    CHECK(entries.size() <= page);
    if (entries.size() < page) return all;
    after = key_of(entries.back());
  }
}

std::vector<BlobEntry> blobs_of(const Index& index) {
  return walk<BlobEntry>([&](const auto& after) { return index.blobs_after(after, page); },
                         [](const BlobEntry& entry) { return entry.digest; });
}

TEST_CASE("a walk by pages meets every entry once") {
  const testing::TempDir dir;
  const auto index = open(dir);
  CHECK(blobs_of(*index).empty());
  REQUIRE(commit(*index, everything()));
  std::set<Digest> seen;
  for (const auto& blob : blobs_of(*index)) {
    CHECK(blob.digest == number(static_cast<std::uint32_t>(blob.record.size)));
    seen.insert(blob.digest);
  }
  CHECK(seen.size() == many);

  seen.clear();
  const auto manifests =
      walk<ManifestEntry>([&](const auto& after) { return index->manifests_after(after, page); },
                          [](const ManifestEntry& entry) { return entry.digest; });
  for (const auto& manifest : manifests) {
    CHECK(manifest.digest == number(static_cast<std::uint32_t>(manifest.size)));
    seen.insert(manifest.digest);
  }
  CHECK(seen.size() == many);

  seen.clear();
  const auto tags =
      walk<TagEntry>([&](const auto& after) { return index->tags_after(after, page); },
                     [](const TagEntry& entry) { return std::pair(entry.image, entry.tag); });
  for (const auto& entry : tags) {
    CHECK(entry.image == image("name-" + std::to_string(entry.record.checked_at)));
    seen.insert(entry.record.digest);
  }
  CHECK(seen.size() == many);

  seen.clear();
  const auto grants = walk<GrantEntry>(
      [&](const auto& after) { return index->grants_after(after, page); },
      [](const GrantEntry& entry) { return std::pair(entry.image, entry.digest); });
  for (const auto& grant : grants) {
    CHECK(index->find_grant(grant.image, grant.digest) == grant.record);
    seen.insert(grant.digest);
  }
  CHECK(seen.size() == many);
  CHECK(index->damaged() == 0);
}

TEST_CASE("a walk goes on behind an entry that has gone meanwhile") {
  const testing::TempDir dir;
  const auto index = open(dir);
  REQUIRE(commit(*index, everything()));
  const auto all = blobs_of(*index);
  REQUIRE(commit(*index, {.blobs_gone = {all[3].digest, all[4].digest}}));
  const auto rest = index->blobs_after(all[3].digest, 2);
  CHECK(rest == std::vector{all[5], all[6]});
  CHECK(index->blobs_after(all.back().digest, page).empty());
}

TEST_CASE("a page leaves damaged entries out and is full all the same") {
  const testing::TempDir dir;
  const auto index = open(dir);
  REQUIRE(commit(*index, everything()));
  REQUIRE(testing::flip_bits(dir / "data.mdb", "name-7") > 0);
  const auto tags =
      walk<TagEntry>([&](const auto& after) { return index->tags_after(after, page); },
                     [](const TagEntry& entry) { return std::pair(entry.image, entry.tag); });
  CHECK(tags.size() == many - 1);
  CHECK(index->damaged() == 1);
}

TEST_CASE("pins are kept, replaced and go; manifests and grants go") {
  const testing::TempDir dir;
  const PinRecord by_digest{.image = image("a"), .what = number(1), .since = 5};
  {
    const auto index = open(dir);
    REQUIRE(commit(*index, everything()));
    REQUIRE(commit(*index,
                   {.pins = {{.image = image("name-0"), .what = tag("t"), .since = 99}, by_digest},
                    .manifests_gone = {number(1)},
                    .grants_gone = {{image("name-2"), number(2)}}}));
  }
  const auto index = open(dir);
  CHECK(index->all_pins(1000).size() == many + 1);
  CHECK(index->all_pins(2).size() == 2);
  CHECK_FALSE(index->find_manifest(number(1)));
  CHECK(index->find_manifest(number(2)));
  CHECK_FALSE(index->granted(image("name-2"), number(2)));
  CHECK(index->granted(image("name-1"), number(1)));
  CHECK(index->totals().manifests == many - 1);
  Changes gone;
  for (std::uint32_t i = 0; i < many; ++i) {
    gone.pins_gone.emplace_back(image("name-" + std::to_string(i)), tag("t"));
  }
  REQUIRE(commit(*index, gone));
  CHECK(index->all_pins(1000) == std::vector{by_digest});
}

}  // namespace
}  // namespace archway::cache
