#include "proxy/upstream/health.hpp"

#include "tests/support/fakes.hpp"

#include <doctest/doctest.h>
#include <string>
#include <vector>

namespace archway::proxy {
namespace {

using std::chrono::seconds;

const Health::Time start{};

Error failure(Errc code, bool retryable = true, std::uint32_t retry_after_s = 0) {
  return {.code = code,
          .origin = Origin::upstream,
          .message = "docker.io cannot be reached",
          .context = "connection refused",
          .retryable = retryable,
          .retry_after_s = retry_after_s};
}

struct Bench {
  test::QuietLog log;
  Health health{{.upstream = "docker.io",
                 .url = "https://registry.test",
                 .probe_pause = std::chrono::milliseconds(200),
                 .log = &log}};

  void fail(int times, const Error& error = failure(Errc::upstream_unreachable)) {
    for (int i = 0; i < times; ++i) health.failed(error, start);
  }
};

TEST_CASE("only what says that the upstream itself fails counts against it") {
  struct Row {
    const char* why;
    Error error;
    bool opens;
  };
  for (const auto& row : std::vector<Row>{
           {"silence", failure(Errc::upstream_unreachable), true},
           {"nonsense, errors of its own", failure(Errc::upstream_failed), true},
           {"overload without a time", failure(Errc::upstream_busy), true},
           {"a refusal of this question", failure(Errc::upstream_failed, false), false},
           {"no such image", failure(Errc::manifest_unknown, false), false},
           {"not for us", failure(Errc::denied, false), false},
           {"nothing behind there", failure(Errc::range_unsatisfiable, false), false},
           {"a bound of our own", failure(Errc::overloaded), false},
           {"what was never asked", failure(Errc::request_invalid), false},
       }) {
    CAPTURE(row.why);
    Bench bench;
    bench.fail(Breaker::failures_max, row.error);
    CHECK(bench.health.is_open() == row.opens);
    CHECK(bench.health.refusal(start).has_value() == row.opens);
  }
}

TEST_CASE("a bound of our own does not end a row of failures, an answer does") {
  Bench bench;
  bench.fail(2);
  bench.fail(1, failure(Errc::overloaded));
  bench.fail(1);
  CHECK(bench.health.is_open());
  Bench other;
  other.fail(2);
  other.fail(1, failure(Errc::manifest_unknown, false));
  other.fail(2);
  CHECK_FALSE(other.health.is_open());
}

TEST_CASE("who asks while it is open is told what went wrong") {
  Bench bench;
  bench.fail(3);
  const auto refusal = bench.health.refusal(start);
  REQUIRE(refusal);
  CHECK(refusal->code == Errc::upstream_unreachable);
  CHECK(refusal->message.find("docker.io cannot be reached") == 0);
  CHECK(refusal->context == "not asked: connection refused");
  CHECK(refusal->retryable);
  CHECK(bench.log.count(
            "the upstream does not answer; it is probed, and asked when it does again") == 1);
  bench.health.answered();
  CHECK_FALSE(bench.health.refusal(start));
  CHECK(bench.log.count("the upstream answers again") == 1);
}

TEST_CASE("what an upstream asked for is waited for, an hour at most") {
  struct Row {
    const char* why;
    std::uint32_t asked_s;
    seconds still_held;
    seconds over;
  };
  for (const auto& row :
       std::vector<Row>{{"a minute", 60, seconds(59), seconds(60)},
                        {"ten years", 315'360'000, seconds(3599), seconds(3600)}}) {
    CAPTURE(row.why);
    Bench bench;
    bench.fail(1, failure(Errc::upstream_busy, true, row.asked_s));
    CHECK_FALSE(bench.health.is_open());
    const auto held = bench.health.refusal(start + row.still_held);
    REQUIRE(held);
    CHECK(held->code == Errc::upstream_busy);
    CHECK(held->retry_after_s == 1);
    CHECK(bench.health.held(start + row.still_held).has_value());
    CHECK_FALSE(bench.health.refusal(start + row.over));
  }
}

TEST_CASE("a shorter time does not end a longer one, and an answer under way ends none") {
  Bench bench;
  bench.fail(1, failure(Errc::upstream_busy, true, 60));
  bench.fail(1, failure(Errc::upstream_busy, true, 1));
  bench.health.answered();
  CHECK(bench.health.refusal(start + seconds(30)).has_value());
}

TEST_CASE("a probe tells whether somebody is there") {
  struct Row {
    const char* why;
    Result<void> pinged;
    bool opens_again;
  };
  for (const auto& row : std::vector<Row>{
           {"an answer", {}, true},
           {"a refusal of the credentials", failure(Errc::denied, false), true},
           {"another page", failure(Errc::upstream_failed, false), true},
           {"there, but wants to be left alone", failure(Errc::upstream_busy, true, 60), true},
           {"silence", failure(Errc::upstream_unreachable), false},
           {"an error of its own", failure(Errc::upstream_failed), false},
           {"overload", failure(Errc::upstream_busy), false},
       }) {
    CAPTURE(row.why);
    Bench bench;
    bench.fail(3);
    bench.health.probed(row.pinged, start);
    CHECK(bench.health.is_open() != row.opens_again);
  }
}

TEST_CASE("an upstream has one prober at a time, and none when it answers") {
  Bench bench;
  CHECK_FALSE(bench.health.begin_probing());
  bench.fail(3);
  CHECK(bench.health.begin_probing());
  CHECK_FALSE(bench.health.begin_probing());
  bench.health.end_probing();
  CHECK(bench.health.begin_probing());
}

TEST_CASE("a rate limit is remembered for as long as it is for") {
  Bench bench;
  Fields fields;
  fields.add("ratelimit-limit", "100;w=600");
  fields.add("ratelimit-remaining", "9;w=600");
  bench.health.note_limit(fields, start);
  bench.health.note_limit(Fields(), start + seconds(1));  // Not every answer says it.
  CHECK(bench.health.budget_is_low(start + seconds(599)));
  CHECK_FALSE(bench.health.budget_is_low(start + seconds(600)));
  const auto state = bench.health.state(start);
  CHECK(bench.log.count("little is left of the upstream's rate limit; it is spared") == 1);
  REQUIRE(state.limit);
  CHECK(state.limit->remaining == 9);
  CHECK_FALSE(bench.health.state(start + seconds(600)).limit);
}

TEST_CASE("an operator is shown how it is") {
  Bench bench;
  const auto well = bench.health.state(start);
  CHECK((well.answers && well.last_error.empty() && well.held == seconds(0)));
  CHECK(well.upstream == "docker.io");
  CHECK(well.url == "https://registry.test");
  bench.fail(3);
  bench.fail(1, failure(Errc::upstream_busy, true, 60));
  const auto ill = bench.health.state(start + seconds(20));
  CHECK_FALSE(ill.answers);
  CHECK(ill.last_error == "docker.io cannot be reached");
  CHECK(ill.held == seconds(40));
}

}  // namespace
}  // namespace archway::proxy
