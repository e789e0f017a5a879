#include "cache/commit.hpp"

#include "tests/cache/support.hpp"

#include <doctest/doctest.h>

namespace archway::cache {
namespace {

TEST_CASE("who waits for a commit finds what it changed") {
  const testing::TempDir dir;
  const auto index = Index::open(dir.path());
  REQUIRE(index);
  const auto digest = testing::digest_of(testing::bytes_of(1));
  REQUIRE(commit_and_wait(**index, {.blobs = {{digest, {.size = 1}}}}));
  CHECK((*index)->find_blob(digest));
}

}  // namespace
}  // namespace archway::cache
