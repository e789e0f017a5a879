#include "cache/collection.hpp"

#include "tests/cache/linked_images.hpp"
#include "tests/cache/support.hpp"

#include <doctest/doctest.h>

namespace archway::cache {
namespace {

using testing::commit;
using testing::image;
using testing::leading_to;
using testing::lines;
using testing::LinkedImages;
using testing::number_digest;

TEST_CASE("manifests go that no tag, pin or grant leads to") {
  LinkedImages images;
  auto& index = *images.index;
  REQUIRE(commit(index, {.manifests = {{number_digest(6), leading_to({60})},
                                       {number_digest(7), leading_to({})},
                                       {number_digest(8), leading_to({6})}},
                         .grants = {{image("c"), number_digest(7)}},
                         .pins = {{.image = image("c"), .what = number_digest(9)}}}));
  const auto none = remove_unused_manifests(index, {});
  REQUIRE(none);
  CHECK(*none == 0);
  const auto removed = remove_unused_manifests(index, lines);
  REQUIRE(removed);
  CHECK(*removed == 2);
  for (const std::uint32_t i : {1U, 2U, 5U, 7U}) CHECK(index.find_manifest(number_digest(i)));
  for (const std::uint32_t i : {6U, 8U}) CHECK_FALSE(index.find_manifest(number_digest(i)));
}

}  // namespace
}  // namespace archway::cache
