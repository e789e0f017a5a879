#include "proxy/command/manifest_json.hpp"

#include <boost/json/serialize.hpp>
#include <doctest/doctest.h>
#include <string>

namespace archway::proxy {
namespace {

TEST_CASE("JSON is indented as Go does it, token by token") {
  struct Row {
    const char* why;
    const char* json;
    const char* want;
  };
  const Row rows[] = {
      {"an empty object", "{ }", "{}"},
      {"an empty list", " [\n] ", "[]"},
      {"a member a line", R"({"a":1,"b":2})", "{\n  \"a\": 1,\n  \"b\": 2\n}"},
      {"within each other", R"({"a":[{"b":[]},{}]})",
       "{\n  \"a\": [\n    {\n      \"b\": []\n    },\n    {}\n  ]\n}"},
      {"white space of its own", "{\t\"a\" :\r\n[ 1 , 2 ]}",
       "{\n  \"a\": [\n    1,\n    2\n  ]\n}"},
      {"a number keeps its letters", R"([1.50E+3,-0])", "[\n  1.50E+3,\n  -0\n]"},
      {"a text keeps its letters", R"(["\u00e9 \"{,:}\" \\"])",
       "[\n  \"\\u00e9 \\\"{,:}\\\" \\\\\"\n]"},
      {"words", R"({"a":null,"b":true})", "{\n  \"a\": null,\n  \"b\": true\n}"},
      {"no more than a word", "true", "true"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.why);
    CHECK(indented_json(row.json, "  ") == row.want);
  }
}

TEST_CASE("what is no JSON, or nested too deep, is refused with a sentence") {
  CHECK(parse_json(std::string(60, '[') + std::string(60, ']')));
  for (const std::string& text :
       {std::string(), std::string("{"), std::string("<html>"), std::string("{} {}"),
        std::string(70, '[') + std::string(70, ']')}) {
    CAPTURE(text);
    const auto value = parse_json(text);
    REQUIRE_FALSE(value);
    CHECK(value.error().message.starts_with("it is not JSON: "));
  }
}

TEST_CASE("a platform is read and written letter for letter") {
  const auto value =
      parse_json(R"({"os":"Linux","architecture":"aarch64","variant":"v8","os.version":"1.2",)"
                 R"("os.features":["b","a"],"rootfs":{}})");
  REQUIRE(value);
  const auto platform = written_platform(value->get_object());
  CHECK(platform.architecture == "aarch64");
  CHECK(platform.os_features == std::vector<std::string>{"b", "a"});
  CHECK(boost::json::serialize(platform_json(platform)) ==
        R"({"architecture":"aarch64","os":"Linux","os.version":"1.2",)"
        R"("os.features":["b","a"],"variant":"v8"})");
  CHECK(boost::json::serialize(platform_json({})) == R"({"architecture":"","os":""})");
}

}  // namespace
}  // namespace archway::proxy
