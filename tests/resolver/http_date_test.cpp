#include "resolver/http_date.hpp"

#include <doctest/doctest.h>
#include <vector>

namespace archway::resolver {
namespace {

TEST_CASE("a time is read as HTTP writes it, and nothing else is") {
  struct Row {
    const char* why;
    const char* text;
    std::optional<std::int64_t> want;
  };
  const std::vector<Row> rows{
      {"the specification's own", "Sun, 06 Nov 1994 08:49:37 GMT", 784111777},
      {"the beginning of time", "Thu, 01 Jan 1970 00:00:00 GMT", 0},
      {"before it", "Wed, 31 Dec 1969 23:59:59 GMT", -1},
      {"a leap day", "Thu, 29 Feb 2024 12:00:00 GMT", 1709208000},
      {"a leap second", "Sat, 31 Dec 2016 23:59:60 GMT", 1483228800},
      {"past what 32 bits hold", "Tue, 19 Jan 2038 03:14:08 GMT", 2147483648},
      {"no leap day", "Sat, 29 Feb 2025 12:00:00 GMT", std::nullopt},
      {"no such month", "Sun, 06 Nob 1994 08:49:37 GMT", std::nullopt},
      {"a sign", "Sun, +6 Nov 1994 08:49:37 GMT", std::nullopt},
      {"hour 24", "Sun, 06 Nov 1994 24:00:00 GMT", std::nullopt},
      {"minute 60", "Sun, 06 Nov 1994 08:60:37 GMT", std::nullopt},
      {"another zone", "Sun, 06 Nov 1994 08:49:37 UTC", std::nullopt},
      {"one digit", "Sun, 6 Nov 1994 08:49:37 GMT", std::nullopt},
      {"other separators", "Sun, 06-Nov-1994 08:49:37 GMT", std::nullopt},
      {"the form of asctime", "Sun Nov  6 08:49:37 1994", std::nullopt},
      {"seconds", "120", std::nullopt},
      {"nothing", "", std::nullopt},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    CHECK(parse_http_date(row.text) == row.want);
  }
}

}  // namespace
}  // namespace archway::resolver
