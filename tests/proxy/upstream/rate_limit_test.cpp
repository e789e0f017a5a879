#include "proxy/upstream/rate_limit.hpp"

#include <doctest/doctest.h>
#include <vector>

namespace archway::proxy {
namespace {

std::optional<RateLimit> read(const char* limit, const char* remaining) {
  Fields fields;
  if (*limit) fields.add("RateLimit-Limit", limit);
  if (*remaining) fields.add("RateLimit-Remaining", remaining);
  return read_rate_limit(fields);
}

TEST_CASE("a rate limit is read as registries write it") {
  struct Row {
    const char* why;
    const char* limit;
    const char* remaining;
    std::uint64_t want_limit;
    std::uint64_t want_remaining;
    int window;
  };
  for (const auto& row : std::vector<Row>{
           {"Docker Hub", "100;w=21600", "76;w=21600", 100, 76, 21600},
           {"without a window", "5000", "4999", 5000, 4999, 0},
           {"a blank before the window", "200; w=60", "0", 200, 0, 60},
           {"further parameters", "200;w=60;burst=5", "7;w=60;burst=5", 200, 7, 60},
           {"another parameter", "200;q=1", "7", 200, 7, 0},
           {"a window that is none", "200;w=soon", "7", 200, 7, 0},
           {"a window without end", "200;w=99999999999", "7", 200, 7, 604800},
           {"more than anybody asks", "9999999999999", "7", 1'000'000'000, 7, 0},
       }) {
    CAPTURE(row.why);
    const auto got = read(row.limit, row.remaining);
    REQUIRE(got);
    CHECK(got->limit == row.want_limit);
    CHECK(got->remaining == row.want_remaining);
    CHECK(got->window.count() == row.window);
  }
}

TEST_CASE("half a rate limit, or one that is no number, is none") {
  struct Row {
    const char* limit;
    const char* remaining;
  };
  const Row rows[] = {
      {"", ""},        {"100", ""},     {"", "100"},   {"-1", "5"},
      {"100", "many"}, {"100", ";w=5"}, {"0x10", "5"}, {"18446744073709551616", "5"}};
  for (const auto& row : rows) {
    CAPTURE(row.limit);
    CAPTURE(row.remaining);
    CHECK_FALSE(read(row.limit, row.remaining));
  }
}

TEST_CASE("a budget is low when less than a tenth of it is left") {
  CHECK_FALSE(RateLimit{.limit = 100, .remaining = 10}.is_low());
  CHECK(RateLimit{.limit = 100, .remaining = 9}.is_low());
  CHECK(RateLimit{.limit = 100, .remaining = 0}.is_low());
  CHECK_FALSE(RateLimit{.limit = 5000, .remaining = 500}.is_low());
  CHECK_FALSE(RateLimit{.limit = 0, .remaining = 0}.is_low());
}

}  // namespace
}  // namespace archway::proxy
