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
                     .rules = {{"docker.io/library/*:[0-9]*.[0-9]*", seconds(1000)},
                               {"docker.io/library/*", seconds(0)},
                               {"docker.io/library/go:1.22", seconds(1)}}};

Freshness of(const char* repository, const char* tag, std::int64_t checked_at, std::int64_t now) {
  const ImageName image{.upstream = "docker.io", .repository = *Repository::parse(repository)};
  return freshness(rules, image, *Tag::parse(tag), checked_at, now);
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
  const TagRules pinned{.fresh_for = seconds(100), .stale_for = seconds(10)};
  const ImageName image{.upstream = "docker.io", .repository = *Repository::parse("a/b")};
  CHECK(freshness(pinned, image, *Tag::parse("1"), 0, 99) == Freshness::fresh);
  CHECK(freshness(pinned, image, *Tag::parse("1"), 0, 100) == Freshness::expired);
}
