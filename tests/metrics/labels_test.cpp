#include "metrics/labels.hpp"

#include <doctest/doctest.h>

namespace archway::metrics {
namespace {

TEST_CASE("the first values keep their name, further ones are other") {
  LabelLimit limit(2);
  CHECK(limit.label("linux/amd64") == "linux/amd64");
  CHECK(limit.label("linux/arm64") == "linux/arm64");
  CHECK(limit.label("linux/s390x") == "other");
  CHECK(limit.label("linux/amd64") == "linux/amd64");
}

TEST_CASE("no value is unknown and takes no place") {
  LabelLimit limit(1);
  CHECK(limit.label("") == "unknown");
  CHECK(limit.label("linux/amd64") == "linux/amd64");
}

}  // namespace
}  // namespace archway::metrics
