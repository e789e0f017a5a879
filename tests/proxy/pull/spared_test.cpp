#include "proxy/pull/spared.hpp"

#include <doctest/doctest.h>

namespace archway::proxy {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

const Spared::Time start = Spared::Time() + std::chrono::hours(1000);

TEST_CASE("an upstream that fails again and again is spared for longer and longer") {
  Spared spared;
  CHECK_FALSE(spared.is_spared("docker.io", start));
  auto now = start;
  for (const auto pause :
       {seconds(60), seconds(120), seconds(240), seconds(480), seconds(900), seconds(900)}) {
    CAPTURE(pause.count());
    CHECK(spared.failed("docker.io", seconds(0), now));
    CHECK(spared.until("docker.io") == now + pause);
    CHECK(spared.is_spared("docker.io", now + pause - seconds(1)));
    CHECK_FALSE(spared.is_spared("docker.io", now + pause));
    now += pause;
  }
  spared.answered("docker.io", now);
  CHECK(spared.failed("docker.io", seconds(0), now));
  CHECK(spared.until("docker.io") == now + Spared::first);
  CHECK_FALSE(spared.is_spared("ghcr.io", now));
}

TEST_CASE("an upstream gets the time that it asked for, and never less than a minute") {
  Spared spared;
  CHECK(spared.failed("docker.io", minutes(60), start));
  CHECK(spared.until("docker.io") == start + minutes(60));
  CHECK(spared.failed("ghcr.io", seconds(1), start));
  CHECK(spared.until("ghcr.io") == start + Spared::first);
}

TEST_CASE("failures of what was on its way make nothing longer, unless they say so") {
  Spared spared;
  CHECK(spared.failed("docker.io", seconds(0), start));
  CHECK_FALSE(spared.failed("docker.io", seconds(0), start + seconds(1)));
  CHECK(spared.until("docker.io") == start + Spared::first);
  CHECK_FALSE(spared.failed("docker.io", minutes(5), start + seconds(1)));
  CHECK(spared.until("docker.io") == start + seconds(1) + minutes(5));
  spared.answered("docker.io", start + seconds(2));  // Of before, too: it stays as it is.
  CHECK(spared.is_spared("docker.io", start + seconds(2)));
  CHECK(spared.failed("docker.io", seconds(0), start + minutes(10)));
  CHECK(spared.until("docker.io") == start + minutes(12));
}

}  // namespace
}  // namespace archway::proxy
