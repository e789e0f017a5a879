#include "proxy/config/read.hpp"
#include "tests/proxy/config/reading.hpp"

#include <chrono>
#include <doctest/doctest.h>
#include <string>

namespace archway::proxy {
namespace {

TEST_CASE("timeouts that cannot be are reported") {
  const BadRow rows[] = {
      {"zero is no bound", "timeouts: {connect: 0}\n",
       "1:21: timeouts.connect: found \"0\"; allowed: 100ms to 1d"},
      {"too short", "timeouts: {connect: 99ms}\n",
       "1:21: timeouts.connect: found \"99ms\"; allowed: 100ms to 1d"},
      {"too long", "timeouts: {idle: 25h}\n",
       "1:18: timeouts.idle: found \"25h\"; allowed: 100ms to 1d"},
      {"none is no time", "timeouts: {stall: none}\n",
       "1:19: timeouts.stall: found \"none\"; allowed: a whole number and one of ms, s, m, h, d, "
       "such as 25s"},
      {"a rate that few networks keep", "timeouts: {minimum_rate: 1GiB}\n",
       "1:26: timeouts.minimum_rate: found \"1GiB\"; allowed: 0 to 1MiB"},
      {"an unknown one", "timeouts: {conect: 5s}\n",
       "1:12: found the unknown key \"conect\" in timeouts; did you mean connect?"},
  };
  check_refused(rows);
}

TEST_CASE("each timeout reaches its own setting") {
  const Settings settings = settings_of(
      "timeouts:\n  resolve: 1s\n  connect: 2s\n  tls: 3s\n  first_byte: 4s\n  stall: 5s\n"
      "  request: 6s\n  idle: 7s\n  client_stall: 100ms\n"
      "  minimum_rate: 5KiB\n");
  using std::chrono::seconds;
  CHECK(settings.timeouts.resolve == seconds(1));
  CHECK(settings.timeouts.connect == seconds(2));
  CHECK(settings.timeouts.tls == seconds(3));
  CHECK(settings.timeouts.first_byte == seconds(4));
  CHECK(settings.timeouts.stall == seconds(5));
  CHECK(settings.timeouts.request == seconds(6));
  CHECK(settings.timeouts.idle == seconds(7));
  CHECK(settings.timeouts.client_stall == std::chrono::milliseconds(100));
  CHECK(settings.timeouts.minimum_rate == 5 * 1024);
}

}  // namespace
}  // namespace archway::proxy
