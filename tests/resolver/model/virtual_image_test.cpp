#include "resolver/model/virtual_image.hpp"

#include <doctest/doctest.h>

using namespace archway;

TEST_CASE("a virtual image is named like an image, with its tag where it has one") {
  VirtualImage image{
      .name = {.upstream = "docker.io", .repository = *Repository::parse("username/test")}};
  CHECK(image.str() == "docker.io/username/test");
  auto tagged = image;
  tagged.tag = *Tag::parse("1.4");
  CHECK(tagged.str() == "docker.io/username/test:1.4");
  CHECK(!(tagged == image));
}
