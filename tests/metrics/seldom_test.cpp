#include "metrics/seldom.hpp"

#include <doctest/doctest.h>
#include <string>

namespace archway::metrics {
namespace {

using std::chrono::seconds;

TEST_CASE("an event goes through once a minute and says how many were held back") {
  Seldom seldom;
  const Seldom::Time start{};
  CHECK(seldom.admit("disk", start) == 0);
  CHECK_FALSE(seldom.admit("disk", start).has_value());
  CHECK_FALSE(seldom.admit("disk", start + seconds(59)).has_value());
  CHECK(seldom.admit("disk", start + seconds(60)) == 2);
  CHECK_FALSE(seldom.admit("disk", start + seconds(61)).has_value());
  CHECK(seldom.admit("disk", start + seconds(600)) == 1);
}

TEST_CASE("each key has its own minute") {
  Seldom seldom;
  CHECK(seldom.admit("docker.io", {}) == 0);
  CHECK(seldom.admit("ghcr.io", {}) == 0);
  CHECK_FALSE(seldom.admit("docker.io", {}).has_value());
}

TEST_CASE("more keys than there is room for are let through, and old ones make room") {
  Seldom seldom;
  for (std::size_t i = 0; i < Seldom::keys_max; ++i) {
    REQUIRE(seldom.admit(std::to_string(i), {}) == 0);
  }
  CHECK(seldom.admit("one too many", {}) == 0);
  CHECK(seldom.admit("one too many", {}) == 0);
  const Seldom::Time later = Seldom::Time{} + Seldom::pause;
  CHECK(seldom.admit("one too many", later) == 0);
  CHECK_FALSE(seldom.admit("one too many", later).has_value());
}

}  // namespace
}  // namespace archway::metrics
