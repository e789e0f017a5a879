#include "resolver/accept.hpp"

#include "resolver/model/media_type.hpp"

#include <doctest/doctest.h>
#include <string>

using namespace archway::resolver;

TEST_CASE("an Accept header accepts what its ranges cover") {
  struct Row {
    std::string why;
    std::vector<std::string_view> lines;
    bool index;  // the OCI index is accepted
  };
  const Row rows[] = {
      {"named", {"application/vnd.oci.image.index.v1+json"}, true},
      {"named on the last of several lines",
       {"application/json", "application/vnd.oci.image.index.v1+json"},
       true},
      {"in a list without spaces", {"text/a,application/vnd.oci.image.index.v1+json,text/b"}, true},
      {"with a weight", {"application/vnd.oci.image.index.v1+json;q=0.5"}, true},
      {"in capitals", {"Application/vnd.OCI.image.index.v1+JSON"}, true},
      {"wildcard", {"text/html, */*"}, true},
      {"the family", {"application/*"}, true},
      {"another family", {"text/*"}, false},
      {"another type", {"application/vnd.oci.image.manifest.v1+json"}, false},
      {"only its beginning", {"application/vnd.oci.image.index"}, false},
      {"refused", {"application/vnd.oci.image.index.v1+json;q=0"}, false},
      {"refused at length", {"application/vnd.oci.image.index.v1+json ; a=b ; Q=0.000"}, false},
      {"refused by name, whatever the wildcard",
       {"*/*, application/vnd.oci.image.index.v1+json;q=0"},
       false},
      {"the wildcard refused", {"*/*;q=0"}, false},
      {"almost refused", {"application/vnd.oci.image.index.v1+json;q=0.001"}, true},
      {"no lines", {}, false},
      {"an empty line", {""}, false},
      {"nothing that is a type", {",, ;q=1, application, /, a/, /b"}, false},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    CHECK(accepts(read_accept(row.lines), archway::media_type::oci_index) == row.index);
  }
}

TEST_CASE("pieces that are no media range are left out, the others kept in order") {
  const auto ranges = read_accept({" a/b ;q=0 , rubbish,", "c/d"});
  REQUIRE(ranges.size() == 2);
  CHECK(std::string(ranges[0].type) == "a/b");
  CHECK(ranges[0].refused);
  CHECK(std::string(ranges[1].type) == "c/d");
  CHECK(!ranges[1].refused);
}
