#include "proxy/config/units.hpp"

#include <doctest/doctest.h>
#include <limits>
#include <string>

namespace archway::proxy {
namespace {

using std::chrono::milliseconds;

TEST_CASE("sizes are read and printed in their largest whole unit") {
  struct Row {
    const char* text;
    std::uint64_t bytes;
    const char* printed;
  };
  const Row rows[] = {
      {"0", 0, "0"},
      {"0GiB", 0, "0"},
      {"1B", 1, "1B"},
      {"1023B", 1023, "1023B"},
      {"1024B", 1024, "1KiB"},
      {"1536MiB", 1536ULL << 20, "1536MiB"},
      {"50GiB", 50ULL << 30, "50GiB"},
      {"50 GiB", 50ULL << 30, "50GiB"},
      {"2048GiB", 2ULL << 40, "2TiB"},
      {"050GiB", 50ULL << 30, "50GiB"},
      {"9223372036854775807B", 9223372036854775807ULL, "9223372036854775807B"},
      {"8388607TiB", 8388607ULL << 40, "8388607TiB"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const auto bytes = parse_size(row.text);
    REQUIRE(bytes.has_value());
    CHECK(*bytes == row.bytes);
    CHECK(size_text(*bytes) == row.printed);
    CHECK(*parse_size(size_text(*bytes)) == row.bytes);
  }
}

TEST_CASE("times are read and printed in their largest whole unit") {
  struct Row {
    const char* text;
    std::int64_t count;
    const char* printed;
  };
  const Row rows[] = {
      {"0", 0, "0"},
      {"0s", 0, "0"},
      {"250ms", 250, "250ms"},
      {"1000ms", 1000, "1s"},
      {"90s", 90'000, "90s"},
      {"60s", 60'000, "1m"},
      {"24h", 86'400'000, "1d"},
      {"30 d", 2'592'000'000, "30d"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const auto time = parse_time(row.text);
    REQUIRE(time.has_value());
    CHECK(time->count() == row.count);
    CHECK(time_text(*time) == row.printed);
    CHECK(*parse_time(time_text(*time)) == *time);
  }
}

TEST_CASE("what is no size is refused, with what was probably meant") {
  struct Row {
    const char* why;
    const char* text;
    const char* meant;  ///< "" for none
  };
  const Row rows[] = {
      {"nothing", "", ""},
      {"a unit alone", "GiB", ""},
      {"no unit", "50", "50GiB"},
      {"a decimal unit", "50GB", "50GiB"},
      {"small letters", "50gib", "50GiB"},
      {"one letter", "50M", "50MiB"},
      {"kilobytes", "50kB", "50KiB"},
      {"bytes", "50 bytes", "50B"},
      {"a fraction", "1.5GiB", ""},
      {"a sign", "-1GiB", ""},
      {"a plus", "+1GiB", ""},
      {"a blank in front", " 1GiB", ""},
      {"two blanks", "1  GiB", ""},
      {"a blank behind", "1GiB ", ""},
      {"another unit", "1PiB", ""},
      {"hexadecimal", "0x10MiB", ""},
      {"a bit too large", "8388608TiB", ""},
      {"far too large", "99999999999999999999B", ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.why);
    const auto bytes = parse_size(row.text);
    REQUIRE_FALSE(bytes.has_value());
    std::string want = "a whole number and one of B, KiB, MiB, GiB, TiB, such as 50GiB";
    if (*row.meant != '\0') want += "; did you mean " + std::string(row.meant) + "?";
    CHECK(bytes.error().message == want);
    CHECK(bytes.error().code == Errc::configuration_invalid);
  }
}

TEST_CASE("what is no time is refused, with what was probably meant") {
  struct Row {
    const char* why;
    const char* text;
    const char* meant;
  };
  const Row rows[] = {
      {"no unit", "25", "25s"},
      {"a word", "25 minutes", "25m"},
      {"capitals", "25S", "25s"},
      {"months or minutes", "25M", "25m"},
      {"short for minutes", "5min", "5m"},
      {"days", "2 days", "2d"},
      {"weeks", "2w", ""},
      {"two parts", "1m30s", ""},
      {"microseconds", "5us", ""},
      {"forever", "forever", ""},
      {"too long", "999999999999999999d", ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.why);
    const auto time = parse_time(row.text);
    REQUIRE_FALSE(time.has_value());
    std::string want = "a whole number and one of ms, s, m, h, d, such as 25s";
    if (*row.meant != '\0') want += "; did you mean " + std::string(row.meant) + "?";
    CHECK(time.error().message == want);
  }
}

}  // namespace
}  // namespace archway::proxy
