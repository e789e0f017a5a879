#include "cache/pins.hpp"

#include "tests/cache/linked_images.hpp"
#include "tests/cache/support.hpp"

#include <doctest/doctest.h>
#include <string>
#include <vector>

namespace archway::cache {
namespace {

using testing::commit;
using testing::image;
using testing::lines;
using testing::LinkedImages;
using testing::number_digest;
using testing::tag;

using Numbers = std::vector<std::uint32_t>;

TEST_CASE(
    "a pinned tag protects its index, what of it is here, and its blobs, until it is unpinned") {
  LinkedImages images;
  Pins pins(images.index.get(), lines, {});
  CHECK(images.protected_by(pins).empty());
  REQUIRE(commit(*images.index, {.pins = {{.image = image("a"), .what = tag("t")}}}));
  CHECK(images.protected_by(pins) == Numbers{1, 2, 3, 20, 21});
  REQUIRE(commit(*images.index, {.pins_gone = {{image("a"), tag("t")}}}));
  CHECK(images.protected_by(pins).empty());
}

TEST_CASE("a pin follows its tag, and one by digest stays with it") {
  LinkedImages images;
  Pins pins(images.index.get(), lines, {});
  REQUIRE(commit(*images.index, {.pins = {{.image = image("b"), .what = tag("t")},
                                          {.image = image("a"), .what = number_digest(2)},
                                          {.image = image("a"), .what = tag("absent")}}}));
  CHECK(images.protected_by(pins) == Numbers{2, 5, 20, 21, 50});
  REQUIRE(
      commit(*images.index, {.tags = {{{image("b"), tag("t")}, {.digest = number_digest(9)}}}}));
  CHECK(images.protected_by(pins) == Numbers{2, 20, 21});
}

TEST_CASE("what the configuration pins is protected like the rest") {
  LinkedImages images;
  Pins pins(images.index.get(), lines, [](const ImageName& name, const Tag& of) {
    return name == image("b") && of == tag("t");
  });
  CHECK(images.protected_by(pins) == Numbers{5, 50});
}

}  // namespace
}  // namespace archway::cache
