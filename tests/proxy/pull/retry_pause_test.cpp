#include "proxy/pull/retry_pause.hpp"

#include <doctest/doctest.h>

namespace archway::proxy {
namespace {

using std::chrono::seconds;

Retries retries_for(seconds time) {
  Settings::Timeouts timeouts;
  timeouts.retry_for = time;
  return Retries(timeouts);
}

TEST_CASE("a transfer that gets nowhere is tried again for a time, and five times at least") {
  const Retries::Clock::time_point start{};
  auto retries = retries_for(seconds(60));
  for (int i = 0; i < 100; ++i) {
    retries.ended(false, start + seconds(5));
    CHECK_FALSE(retries.hopeless(start + seconds(64)));
  }
  CHECK(retries.hopeless(start + seconds(65)));
  auto few = retries_for(seconds(0));
  for (int i = 0; i < 4; ++i) few.ended(false, start);
  CHECK_FALSE(few.hopeless(start + seconds(600)));
  few.ended(false, start);
  CHECK(few.hopeless(start));
}

TEST_CASE("a byte is worth all the tries again") {
  const Retries::Clock::time_point start{};
  auto retries = retries_for(seconds(60));
  for (int i = 0; i < 10; ++i) retries.ended(false, start);
  retries.ended(true, start + seconds(59));
  CHECK_FALSE(retries.hopeless(start + seconds(600)));
  for (int i = 0; i < 10; ++i) retries.ended(false, start + seconds(600));
  CHECK_FALSE(retries.hopeless(start + seconds(659)));
  CHECK(retries.hopeless(start + seconds(660)));
}

}  // namespace
}  // namespace archway::proxy
