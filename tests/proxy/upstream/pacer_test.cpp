#include "proxy/upstream/pacer.hpp"

#include <doctest/doctest.h>

namespace archway::proxy {
namespace {

using std::chrono::milliseconds;

constexpr std::uint64_t rate = 64 * 1024;
const Pacer::Clock::time_point start{std::chrono::hours(1)};

TEST_CASE("bytes take the time they are worth, but for a quarter of a second's") {
  Pacer pacer(rate);
  CHECK(pacer.spend(rate / 4, start) == milliseconds(0));
  CHECK(pacer.spend(rate / 4, start) == milliseconds(250));
  CHECK(pacer.spend(rate, start) == milliseconds(1250));
  CHECK(pacer.spend(rate, start + milliseconds(1500)) == milliseconds(750));
}

TEST_CASE("what was not used is not saved up") {
  Pacer pacer(rate);
  pacer.spend(rate, start);
  const auto later = start + std::chrono::hours(1);
  CHECK(pacer.spend(rate / 4, later) == milliseconds(0));
  CHECK(pacer.spend(rate, later) == milliseconds(1000));
}

TEST_CASE("a transfer takes an eighth of a second's worth at once, and 4 KiB at least") {
  CHECK(Pacer(rate).piece() == rate / 8);
  CHECK(Pacer(1).piece() == 4096);
  CHECK(Pacer(1ULL << 40).piece() == 1ULL << 30);
}

}  // namespace
}  // namespace archway::proxy
