#include "proxy/pull/relay_slot.hpp"

#include <doctest/doctest.h>

namespace archway::proxy {
namespace {

TEST_CASE("no more slots are given out than there are, and each comes back once") {
  const auto taken = std::make_shared<std::atomic<std::size_t>>(0);
  auto first = RelaySlot::take(taken, 2);
  auto second = RelaySlot::take(taken, 2);
  REQUIRE(first);
  REQUIRE(second);
  CHECK_FALSE(RelaySlot::take(taken, 2));
  CHECK(*taken == 2);
  {
    const RelaySlot moved = *std::move(first);
    first.reset();  // Nothing is in it any more.
    CHECK(*taken == 2);
  }
  CHECK(*taken == 1);
  CHECK(RelaySlot::take(taken, 2));
  CHECK(*taken == 1);
}

}  // namespace
}  // namespace archway::proxy
