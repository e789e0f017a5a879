#include "resolver/freshness.hpp"

#include <doctest/doctest.h>
#include <limits>
#include <string>

using namespace archway::resolver;
using archway::ImageName;
using archway::Repository;
using archway::Tag;
using std::chrono::seconds;

namespace {

const TagRules rules{.fresh_for = seconds(300),
                     .stale_for = seconds(3000),
                     .upstreams = {{"ghcr.io", {.fresh_for = seconds(60), .serve_deleted = true}}},
                     .rules = {{"docker.io/library/*:[0-9]*.[0-9]*", {.fresh_for = seconds(1000)}},
                               {"docker.io/library/*", {.fresh_for = seconds(0)}},
                               {"docker.io/library/go:1.22", {.fresh_for = seconds(1)}},
                               {"ghcr.io/a/*", {.stale_for = seconds(7), .serve_deleted = false}}}};

TagTimes times_of(const char* upstream, const char* repository, const char* tag) {
  const ImageName image{.upstream = upstream, .repository = *Repository::parse(repository)};
  return times_for(rules, image, *Tag::parse(tag));
}

Freshness of(const char* repository, const char* tag, std::int64_t checked_at, std::int64_t now) {
  return freshness(times_of("docker.io", repository, tag), checked_at, now);
}

}  // namespace

TEST_CASE("a tag is fresh, then stale, then expired") {
  struct Row {
    std::string why;
    std::int64_t age;
    Freshness want;
  };
  const Row rows[] = {
      {"just checked", 0, Freshness::fresh},
      {"the last fresh second", 299, Freshness::fresh},
      {"the first stale one", 300, Freshness::stale},
      {"the last stale one", 2999, Freshness::stale},
      {"too old", 3000, Freshness::expired},
      {"the clock was set back by a second", -1, Freshness::stale},
      {"the clock was set back by years", -1'000'000'000, Freshness::stale},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    CHECK(of("me/app", "1", 1'700'000'000, 1'700'000'000 + row.age) == row.want);
  }
}

TEST_CASE("the first rule that matches upstream, repository and tag says how long") {
  CHECK(of("library/go", "1.22", 0, 999) == Freshness::fresh);
  CHECK(of("library/go", "1.22", 0, 1000) == Freshness::stale);
  CHECK(of("library/go", "latest", 0, 0) == Freshness::stale);
  CHECK(of("me/go", "1.22", 0, 299) == Freshness::fresh);
}

TEST_CASE("the ends of time do not overflow") {
  constexpr auto first = std::numeric_limits<std::int64_t>::min();
  constexpr auto last = std::numeric_limits<std::int64_t>::max();
  CHECK(of("me/app", "1", first, last) == Freshness::expired);
  CHECK(of("me/app", "1", last, first) == Freshness::stale);
}

TEST_CASE("a tag may stay fresh for longer than it may be stale") {
  const TagTimes pinned{.fresh_for = seconds(100), .stale_for = seconds(10)};
  CHECK(freshness(pinned, 0, 99) == Freshness::fresh);
  CHECK(freshness(pinned, 0, 100) == Freshness::expired);
}

TEST_CASE("a rule goes before its upstream's times, and they before everybody's") {
  struct Row {
    std::string why;
    const char* upstream;
    const char* repository;
    TagTimes want;
  };
  const Row rows[] = {
      {"everybody's", "quay.io", "a/b", {seconds(300), seconds(3000), false}},
      {"the upstream's", "ghcr.io", "b/c", {seconds(60), seconds(3000), true}},
      {"a rule for some of it", "ghcr.io", "a/b", {seconds(60), seconds(7), false}},
      {"a rule alone", "docker.io", "library/x", {seconds(0), seconds(3000), false}},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    const auto times = times_of(row.upstream, row.repository, "x");
    CHECK(times.fresh_for == row.want.fresh_for);
    CHECK(times.stale_for == row.want.stale_for);
    CHECK(times.serve_deleted == row.want.serve_deleted);
  }
}

TEST_CASE("an upstream is spared by asking half as often, once an hour at least") {
  const auto spared = [](int fresh_s) {
    return spare_upstream({.fresh_for = seconds(fresh_s)}).fresh_for.count();
  };
  CHECK(spared(300) == 600);
  CHECK(spared(1800) == 3600);
  CHECK(spared(3000) == 3600);
  CHECK(spared(7200) == 7200);
  CHECK(spared(0) == 0);  // Whoever wants every question asked gets it.
}
