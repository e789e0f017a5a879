#include "proxy/upstream/token_answer.hpp"

#include <doctest/doctest.h>
#include <string>

namespace archway::proxy {
namespace {

TEST_CASE("a token's answer is read for what it is") {
  const std::string longest(token_bytes_max, 't');
  struct Row {
    const char* why;
    std::string json;
    std::string token;  // "" : refused
    int seconds;
  };
  const Row rows[] = {
      {"token", R"({"token":"abc"})", "abc", 60},
      {"access_token", R"({"access_token":"abc"})", "abc", 60},
      {"both", R"({"access_token":"def","token":"abc"})", "abc", 60},
      {"empty token beside access_token", R"({"token":"","access_token":"abc"})", "abc", 60},
      {"expires", R"({"token":"abc","expires_in":300})", "abc", 300},
      {"a year", R"({"token":"abc","expires_in":31536000})", "abc", 3600},
      {"now", R"({"token":"abc","expires_in":0})", "abc", 60},
      {"before", R"({"token":"abc","expires_in":-5})", "abc", 60},
      {"in words", R"({"token":"abc","expires_in":"300"})", "abc", 60},
      {"beyond all numbers", R"({"token":"abc","expires_in":1e300})", "abc", 60},
      {"long", "{\"token\":\"" + longest + "\"}", longest, 60},
      {"too long", "{\"token\":\"" + longest + "t\"}", "", 0},
      {"nothing", R"({})", "", 0},
      {"empty", R"({"token":""})", "", 0},
      {"another kind", R"({"token":5})", "", 0},
      {"a line end", R"({"token":"a\r\nEvil: b"})", "", 0},
      {"a blank", R"({"token":"a b"})", "", 0},
      {"a high byte", R"({"token":"\u00e4"})", "", 0},
      {"no JSON", "abc", "", 0},
      {"half a JSON", R"({"token":"abc")", "", 0},
      {"an array", R"(["abc"])", "", 0},
      {"deep", std::string(50000, '['), "", 0},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    const auto token = read_token(row.json);
    REQUIRE(token.has_value() == !row.token.empty());
    if (!token) {
      CHECK(token.error().code == Errc::upstream_failed);
      continue;
    }
    CHECK(token->value == row.token);
    CHECK(token->valid_for == std::chrono::seconds(row.seconds));
  }
}

}  // namespace
}  // namespace archway::proxy
