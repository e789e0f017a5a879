#include "proxy/access/attempts.hpp"

#include <doctest/doctest.h>
#include <string>
#include <utility>
#include <vector>

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

TEST_CASE_FIXTURE(Fixture, "what is being tried counts as wrong until it is known") {
  std::vector<Attempts::Attempt> tried;
  int called = 0;
  const auto begin = [&] { return attempts.begin(guesser, [&called] { ++called; }); };
  fail(guesser, 2);
  for (unsigned i = 2; i < Attempts::failures_max; ++i) {
    auto attempt = begin();
    REQUIRE(attempt);
    tried.push_back(*std::move(attempt));
  }
  CHECK_FALSE(begin());
  CHECK_FALSE(attempts.exhausted(guesser));
  CHECK(attempts.begin(*Address::parse("10.0.0.8"), [] {}));
  CHECK(called == 0);
  tried.pop_back();  // It was right.
  CHECK(called == 1);
  {
    auto wrong = begin();
    REQUIRE(wrong);
    wrong->failed();
  }
  CHECK_FALSE(begin());
  for (auto& one : tried) one.failed();
  tried.clear();
  CHECK(called == 2);
  CHECK(attempts.exhausted(guesser));
  CHECK_FALSE(begin());
  CHECK(called == 3);  // At once: nobody else would.
  time += Attempts::period;
  CHECK(begin());
}

TEST_CASE_FIXTURE(Fixture, "what is being tried is not forgotten for want of room") {
  auto attempt = attempts.begin(guesser, [] {});
  REQUIRE(attempt);
  attempt->failed();
  for (std::size_t i = 0; i <= Attempts::addresses_max; ++i) {
    fail(*Address::parse("10.1." + std::to_string(i / 256) + "." + std::to_string(i % 256)), 1);
  }
  attempt.reset();
  fail(guesser, Attempts::failures_max - 1);
  CHECK(attempts.exhausted(guesser));
}

}  // namespace
}  // namespace archway::proxy
