#include "proxy/base64.hpp"

#include <doctest/doctest.h>
#include <string>

namespace archway::proxy {
namespace {

TEST_CASE("bytes become text and text bytes") {
  struct Row {
    std::string bytes;
    std::string text;
  };
  const Row rows[] = {{"", ""},        {"f", "Zg=="},          {"fo", "Zm8="},
                      {"foo", "Zm9v"}, {"me:old", "bWU6b2xk"}, {std::string("\0\xff", 2), "AP8="}};
  for (const auto& row : rows) {
    CAPTURE(row.text);
    CHECK(to_base64(row.bytes) == row.text);
    CHECK(from_base64(row.text) == row.bytes);
  }
}

TEST_CASE("what is no base64 is none") {
  for (const char* text : {"Zg", "Zg=", "Zm9v!A==", "Zm9v Zg=", "Z\n=="}) {
    CAPTURE(text);
    CHECK_FALSE(from_base64(text));
  }
}

}  // namespace
}  // namespace archway::proxy
