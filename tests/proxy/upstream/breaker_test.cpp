#include "proxy/upstream/breaker.hpp"

#include <doctest/doctest.h>

namespace archway::proxy {
namespace {

using std::chrono::milliseconds;

Breaker opened() {
  Breaker breaker(milliseconds(500));
  for (int i = 0; i < Breaker::failures_max; ++i) breaker.failed();
  return breaker;
}

TEST_CASE("a breaker opens at the third failure in a row, and says so once") {
  Breaker breaker(milliseconds(500));
  CHECK_FALSE(breaker.failed());
  CHECK_FALSE(breaker.failed());
  CHECK_FALSE(breaker.is_open());
  CHECK(breaker.failed());
  CHECK(breaker.is_open());
  CHECK_FALSE(breaker.failed());
  CHECK(breaker.failures() == 3);
}

TEST_CASE("an answer in between makes the next failure the first") {
  Breaker breaker(milliseconds(500));
  for (int i = 0; i < 10; ++i) {
    CHECK_FALSE(breaker.failed());
    CHECK_FALSE(breaker.failed());
    breaker.answered();
  }
  CHECK_FALSE(breaker.is_open());
  CHECK(breaker.failures() == 0);
}

TEST_CASE("the pause before a probe grows to four seconds and no further") {
  auto breaker = opened();
  for (const auto want : {500, 1000, 2000, 4000, 4000, 4000}) {
    CHECK(breaker.next_pause() == milliseconds(want));
  }
  breaker.answered();
  CHECK(breaker.next_pause() == milliseconds(500));
  CHECK(Breaker(milliseconds(60'000)).next_pause() == Breaker::pause_longest);
}

TEST_CASE("after a probe alone one failure opens it again, and the pause goes on growing") {
  auto breaker = opened();
  breaker.next_pause();
  breaker.probe_answered();
  CHECK_FALSE(breaker.is_open());
  CHECK(breaker.failed());
  CHECK(breaker.is_open());
  CHECK(breaker.next_pause() == milliseconds(1000));
}

TEST_CASE("an answer to a question that was under way closes it") {
  auto breaker = opened();
  breaker.answered();
  CHECK_FALSE(breaker.is_open());
}

}  // namespace
}  // namespace archway::proxy
