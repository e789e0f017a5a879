#include "resolver/byte_range.hpp"

#include <doctest/doctest.h>
#include <limits>
#include <string>

using namespace archway::resolver;
using Kind = RangeRequest::Kind;

TEST_CASE("a Range header asks for a part, the whole or nothing that is there") {
  struct Row {
    std::string why;
    std::string header;
    std::uint64_t size;
    Kind kind;
    ByteRange range;
  };
  const Row rows[] = {
      {"none", "", 100, Kind::whole, {}},
      {"first bytes", "bytes=0-9", 100, Kind::part, {0, 10}},
      {"one byte", "bytes=5-5", 100, Kind::part, {5, 1}},
      {"the last byte", "bytes=99-99", 100, Kind::part, {99, 1}},
      {"to the end", "bytes=40-", 100, Kind::part, {40, 60}},
      {"all of it, as a range", "bytes=0-", 100, Kind::part, {0, 100}},
      {"past the end is cut", "bytes=90-200", 100, Kind::part, {90, 10}},
      {"the last ones", "bytes=-30", 100, Kind::part, {70, 30}},
      {"more last ones than there are", "bytes=-300", 100, Kind::part, {0, 100}},
      {"unit in capitals", "BYTES=1-2", 100, Kind::part, {1, 2}},
      {"spaces around", " bytes= 1-2 ", 100, Kind::part, {1, 2}},
      {"leading zeros", "bytes=007-008", 100, Kind::part, {7, 2}},
      {"an end beyond 64 bits", "bytes=1-99999999999999999999999", 100, Kind::part, {1, 99}},
      {"the end at 64 bits", "bytes=1-18446744073709551615", 100, Kind::part, {1, 99}},
      {"starts at the end", "bytes=100-", 100, Kind::unsatisfiable, {}},
      {"starts past the end", "bytes=100-200", 100, Kind::unsatisfiable, {}},
      {"starts beyond 64 bits", "bytes=99999999999999999999999-", 100, Kind::unsatisfiable, {}},
      {"no last bytes", "bytes=-0", 100, Kind::unsatisfiable, {}},
      {"of an empty object", "bytes=0-", 0, Kind::unsatisfiable, {}},
      {"last bytes of an empty object", "bytes=-5", 0, Kind::whole, {}},
      {"backwards", "bytes=9-5", 100, Kind::whole, {}},
      {"two ranges", "bytes=0-1,5-6", 100, Kind::whole, {}},
      {"another unit", "items=0-1", 100, Kind::whole, {}},
      {"no unit", "0-1", 100, Kind::whole, {}},
      {"no equals sign", "bytes 0-1", 100, Kind::whole, {}},
      {"no dash", "bytes=5", 100, Kind::whole, {}},
      {"a dash alone", "bytes=-", 100, Kind::whole, {}},
      {"two dashes", "bytes=1--2", 100, Kind::whole, {}},
      {"a minus sign", "bytes=--5", 100, Kind::whole, {}},
      {"a plus sign", "bytes=+1-2", 100, Kind::whole, {}},
      {"hexadecimal", "bytes=0x1-2", 100, Kind::whole, {}},
      {"a space within", "bytes=1 -2", 100, Kind::whole, {}},
      {"the unit alone", "bytes=", 100, Kind::whole, {}},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    const auto request = read_range(row.header, row.size);
    CHECK(request.kind == row.kind);
    CHECK(request.range == row.range);
  }
}

TEST_CASE("a range of a huge object does not overflow") {
  constexpr auto huge = std::numeric_limits<std::uint64_t>::max();
  const auto request = read_range("bytes=0-18446744073709551615", huge);
  CHECK(request.kind == Kind::part);
  CHECK(request.range == ByteRange{0, huge});
  CHECK(read_range("bytes=18446744073709551615-", huge).kind == Kind::unsatisfiable);
}

TEST_CASE("the offset of an open range is known before the size is") {
  CHECK(open_range_offset("bytes=0-") == 0);
  CHECK(open_range_offset("bytes=1234-") == 1234);
  CHECK(open_range_offset("bytes=99999999999999999999-") ==
        std::numeric_limits<std::uint64_t>::max());
  for (const std::string other : {"", "bytes=1-2", "bytes=-5", "bytes=-", "bytes=1-,3-", "x=1-"}) {
    CAPTURE(other);
    CHECK(!open_range_offset(other));
  }
}

TEST_CASE("If-Range lets a range through only for the very same bytes") {
  const std::string etag = "\"sha256:abc\"";
  CHECK(if_range_permits("", etag));
  CHECK(if_range_permits(etag, etag));
  CHECK(!if_range_permits("\"sha256:def\"", etag));
  CHECK(!if_range_permits("W/" + etag, etag));
  CHECK(!if_range_permits("W/" + etag, "W/" + etag));
  CHECK(!if_range_permits("Wed, 21 Oct 2015 07:28:00 GMT", etag));
  CHECK(!if_range_permits("sha256:abc", "sha256:abc"));
}
