#include "proxy/access/attempts.hpp"

#include <doctest/doctest.h>
#include <string>

namespace archway::proxy {
namespace {

using namespace std::chrono_literals;
using resolver::Address;

struct Fixture {
  Attempts::Clock::time_point time = Attempts::Clock::time_point() + 1h;
  Attempts attempts{[this] { return time; }};
  const Address guesser = *Address::parse("10.0.0.7");

  void fail(const Address& address, unsigned times) {
    for (unsigned i = 0; i < times; ++i) attempts.failed(address);
  }
};

TEST_CASE_FIXTURE(Fixture, "an address has so many wrong credentials a minute") {
  fail(guesser, Attempts::failures_max - 1);
  CHECK_FALSE(attempts.exhausted(guesser));
  fail(guesser, 1);
  CHECK(attempts.exhausted(guesser));
  CHECK_FALSE(attempts.exhausted(*Address::parse("10.0.0.8")));
  time += Attempts::period;
  CHECK_FALSE(attempts.exhausted(guesser));
  fail(guesser, 1);
  CHECK_FALSE(attempts.exhausted(guesser));
}

TEST_CASE_FIXTURE(Fixture, "an IPv6 client is its whole network") {
  fail(*Address::parse("2001:db8:0:1::7"), Attempts::failures_max);
  CHECK(attempts.exhausted(*Address::parse("2001:db8:0:1:ffff::1")));
  CHECK_FALSE(attempts.exhausted(*Address::parse("2001:db8:0:2::7")));
}

TEST_CASE_FIXTURE(Fixture, "what is remembered is bounded") {
  const auto numbered = [](std::size_t i) {
    return *Address::parse("10.1." + std::to_string(i / 256) + "." + std::to_string(i % 256));
  };
  for (std::size_t i = 0; i < Attempts::addresses_max; ++i) {
    fail(numbered(i), Attempts::failures_max);
  }
  CHECK(attempts.exhausted(numbered(0)));
  fail(*Address::parse("10.2.0.0"), 1);
  CHECK_FALSE(attempts.exhausted(numbered(0)));
  CHECK(attempts.exhausted(numbered(1)));
}

}  // namespace
}  // namespace archway::proxy
