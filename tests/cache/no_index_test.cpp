#include "cache/no_index.hpp"

#include "tests/cache/support.hpp"

#include <doctest/doctest.h>

namespace archway::cache {
namespace {

TEST_CASE("no index knows nothing and takes nothing, but says so") {
  const auto index = make_no_index();
  const auto digest = testing::digest_of(testing::bytes_of(1));
  const auto committed = testing::commit(*index, {.blobs = {{digest, {.size = 1}}}});
  REQUIRE_FALSE(committed);
  CHECK(committed.error().code == Errc::storage_failed);
  CHECK_FALSE(index->find_blob(digest));
  CHECK(index->blobs_after({}, 9).empty());
  CHECK(index->totals().blobs == 0);
  index->commit({}, {});  // Nobody wants to hear of it.
}

}  // namespace
}  // namespace archway::cache
