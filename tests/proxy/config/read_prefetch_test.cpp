#include "proxy/config/read.hpp"
#include "tests/proxy/config/reading.hpp"

#include <chrono>
#include <doctest/doctest.h>

namespace archway::proxy {
namespace {

using namespace std::chrono_literals;

TEST_CASE("prefetching that cannot be is reported") {
  const BadRow rows[] = {
      {"a word for the section", "prefetch: true\n",
       "1:11: prefetch: found \"true\"; allowed: a mapping of layers, seen, transfers or forget"},
      {"an unknown key", "prefetch: {layer: true}\n",
       "1:12: found the unknown key \"layer\" in prefetch; did you mean layers?"},
      {"a number for layers", "prefetch: {layers: 1}\n",
       "1:20: prefetch.layers: found \"1\"; allowed: true or false"},
      {"yes for seen", "prefetch: {seen: yes}\n",
       "1:18: prefetch.seen: found \"yes\"; allowed: true or false"},
      {"no transfers", "prefetch: {transfers: 0}\n",
       "1:23: prefetch.transfers: found \"0\"; allowed: a whole number from 1 to 64"},
      {"too many transfers", "prefetch: {transfers: 65}\n",
       "1:23: prefetch.transfers: found \"65\"; allowed: a whole number from 1 to 64"},
      {"an octal number", "prefetch: {transfers: 010}\n",
       "1:23: prefetch.transfers: found \"010\"; allowed: a whole number from 1 to 64"},
      {"forgotten at once", "prefetch: {forget: 0}\n",
       "1:20: prefetch.forget: found \"0\"; allowed: 1h to 3650d"},
      {"remembered for too long", "prefetch: {forget: 3651d}\n",
       "1:20: prefetch.forget: found \"3651d\"; allowed: 1h to 3650d"},
      {"a number without a unit", "prefetch: {forget: 30}\n",
       "1:20: prefetch.forget: found \"30\"; allowed: a whole number and one of ms, s, m, h, d, "
       "such as 25s; did you mean 30s?"},
  };
  check_refused(rows);
}

TEST_CASE("prefetching is read, and off unless it is asked for") {
  const Settings none = settings_of("prefetch:\n");
  CHECK_FALSE(none.prefetch.layers);
  CHECK_FALSE(none.prefetch.seen);
  CHECK(none.prefetch.transfers == 4);
  CHECK(none.prefetch.forget == 30 * 24h);
  const Settings settings =
      settings_of("prefetch: {layers: true, seen: true, transfers: 64, forget: 1h}");
  CHECK(settings.prefetch.layers);
  CHECK(settings.prefetch.seen);
  CHECK(settings.prefetch.transfers == 64);
  CHECK(settings.prefetch.forget == 1h);
}

TEST_CASE("tags that are hardly ever looked at are worth a warning") {
  struct Row {
    const char* why;
    const char* text;
    bool want;
  };
  const Row rows[] = {
      {"longer than a day", "tags: {fresh_for: 25h}\nprefetch: {seen: true}\n", true},
      {"whatever comes first", "prefetch: {seen: true}\ntags: {fresh_for: 7d}\n", true},
      {"a day", "tags: {fresh_for: 1d}\nprefetch: {seen: true}\n", false},
      {"not looked at anyway", "tags: {fresh_for: 7d}\nprefetch: {seen: false}\n", false},
      {"layers do not wait for tags", "tags: {fresh_for: 7d}\nprefetch: {layers: true}\n", false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.why);
    const ReadOutcome outcome = outcome_of(row.text);
    REQUIRE(outcome.settings.has_value());
    REQUIRE(outcome.warnings.size() == (row.want ? 1 : 0));
    if (!row.want) continue;
    CHECK(outcome.warnings[0].ends_with(
        ": prefetch.seen: tags are fresh for more than a day (tags.fresh_for), and only then "
        "looked at: most of what moves is found late"));
  }
}

}  // namespace
}  // namespace archway::proxy
