// An upstream that sends something now and then, and never enough.

#include "tests/proxy/upstream/fixture.hpp"

#include <doctest/doctest.h>
#include <string>

namespace archway::proxy {
namespace {

TEST_CASE("a body that trickles is given up, however regular it is") {
  using std::chrono::hours;
  using std::chrono::milliseconds;
  struct Row {
    const char* why;
    std::uint64_t rate;
    milliseconds over;
    bool chunked;
    bool whole;
  };
  const Row rows[] = {
      {"too little for all the waiting", 1'000'000'000, milliseconds(0), false, false},
      {"too little, in chunks", 1'000'000'000, milliseconds(0), true, false},
      {"any rate will do", 0, milliseconds(0), false, true},
      {"it has not been waited for long enough to tell", 1'000'000'000, hours(1), false, true},
  };
  for (const auto& row : rows) {
    CAPTURE(std::string(row.why));
    test::ScriptedUpstream upstream;
    const auto gate = upstream.gate();
    auto& answer = upstream.on("/a").answer(200).body("0123456789").drip(gate);
    if (row.chunked) answer.chunked(1);
    Settings::Timeouts timeouts;
    timeouts.minimum_rate = row.rate;
    timeouts.minimum_rate_over = row.over;
    ExchangeBench bench(timeouts);
    auto got = bench.ask(upstream.url() + "/a");
    REQUIRE(got);
    std::string all;
    Result<std::size_t> last = std::size_t{1};
    while (last && *last > 0) {
      gate->release();  // One by one, or the first read would find all of them.
      char byte = 0;
      last = test::run(bench.loop, got->body->read(&byte, 1));
      if (last && *last > 0) all += byte;
    }
    CHECK(last.has_value() == row.whole);
    CHECK((all == "0123456789") == row.whole);
    if (last) continue;
    CHECK(last.error().code == Errc::upstream_unreachable);
    CHECK(last.error().message == "the upstream sends too slowly");
    CHECK(last.error().retryable);
  }
}

}  // namespace
}  // namespace archway::proxy
