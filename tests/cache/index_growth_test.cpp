// An index that outgrows its map.

#include "cache/index_file.hpp"
#include "tests/cache/disk_calls.hpp"
#include "tests/cache/support.hpp"

#include <atomic>
#include <cerrno>
#include <doctest/doctest.h>
#include <string>
#include <thread>
#include <vector>

namespace archway::cache {
namespace {

constexpr std::uint64_t tiny_map = 256 * 1024;
constexpr int manifests = 300;

ManifestRecord manifest(int number) {
  return {.media_type = "application/json",
          .bytes = std::string(8'000, 'm') + std::to_string(number)};
}

Digest digest(int number) {
  return testing::digest_of(testing::bytes_of(8, static_cast<std::uint32_t>(number)));
}

std::unique_ptr<Index> open_tiny(const testing::TempDir& dir) {
  auto file = open_index_file(dir.path(), tiny_map);
  REQUIRE(file);
  return make_index(*std::move(file));
}

TEST_CASE(
    "an index grows past its map while others read it, and is whole when it is opened again") {
  const testing::TempDir dir(testing::in_memory());
  {
    const auto index = open_tiny(dir);
    REQUIRE(testing::commit(*index, {.manifests = {{digest(0), manifest(0)}}}));
    std::atomic<bool> done = false;
    std::atomic<int> lost = 0;
    std::vector<std::thread> readers;
    for (int i = 0; i < 3; ++i) {
      readers.emplace_back([&] {
        while (!done) {
          if (index->find_manifest(digest(0)) != manifest(0)) ++lost;
          if (index->file_bytes() == 0) ++lost;
        }
      });
    }
    int refused = 0;
    for (int i = 1; i < manifests; ++i) {
      if (!testing::commit(*index, {.manifests = {{digest(i), manifest(i)}}})) ++refused;
    }
    done = true;
    for (auto& reader : readers) reader.join();
    CHECK(refused == 0);
    CHECK(lost == 0);
    CHECK(index->file_bytes() > 4 * tiny_map);
    CHECK(index->damaged() == 0);
  }
  const auto index = open_tiny(dir);
  CHECK(index->totals().manifests == manifests);
  for (int i = 0; i < manifests; ++i) CHECK(index->find_manifest(digest(i)) == manifest(i));
}

TEST_CASE("one commit may need several times the map") {
  const testing::TempDir dir(testing::in_memory());
  const auto index = open_tiny(dir);
  Changes changes;
  for (int i = 0; i < manifests; ++i) changes.manifests.emplace_back(digest(i), manifest(i));
  CHECK(testing::commit(*index, std::move(changes)));
  CHECK(index->totals().manifests == manifests);
}

TEST_CASE("a head that could not be written costs that commit, and nothing of what there is") {
  const testing::TempDir dir;
  const auto index = open_tiny(dir);
  REQUIRE(testing::commit(*index, {.manifests = {{digest(1), manifest(1)}}}));
  testing::DiskCalls calls(dir.path());
  calls.fail("write head of data.mdb", EIO);
  CHECK_FALSE(testing::commit(*index, {.manifests = {{digest(2), manifest(2)}}}));
  CHECK(index->find_manifest(digest(1)) == manifest(1));
  CHECK_FALSE(index->find_manifest(digest(2)));
  calls.fail("write head of data.mdb", 0);
  CHECK(testing::commit(*index, {.manifests = {{digest(2), manifest(2)}}}));
  CHECK(index->find_manifest(digest(1)) == manifest(1));
  CHECK(index->find_manifest(digest(2)) == manifest(2));
  CHECK(index->damaged() == 0);
}

}  // namespace
}  // namespace archway::cache
