#include "metrics/log_line.hpp"

#include <chrono>
#include <cmath>
#include <cstdint>
#include <doctest/doctest.h>
#include <limits>
#include <simdjson.h>
#include <string>
#include <vector>

namespace archway::metrics {
namespace {

using namespace std::string_literals;

const auto time_of_test =
    std::chrono::system_clock::time_point(std::chrono::milliseconds(1'777'863'721'007));

std::string text(const std::string& message, const std::vector<Field>& fields,
                 Level level = Level::info, bool colour = false) {
  return text_line({time_of_test, level, message, fields}, colour);
}
std::string json(const std::string& message, const std::vector<Field>& fields,
                 Level level = Level::info) {
  return json_line({time_of_test, level, message, fields});
}

TEST_CASE("a text line is time, level, message and fields") {
  const std::vector<Field> fields = {{"image", "docker.io/library/hi"},
                                     {"status", std::int64_t{-1}},
                                     {"bytes", std::numeric_limits<std::uint64_t>::max()},
                                     {"seconds", 0.25},
                                     {"ok", true},
                                     {"why", "no route"}};
  CHECK(text("request", fields) ==
        "2026-05-04T03:02:01.007Z info  request image=docker.io/library/hi status=-1 "
        "bytes=18446744073709551615 seconds=0.25 ok=true why=\"no route\"");
}

TEST_CASE("only the level is coloured, and only where that was asked for") {
  CHECK(text("m", {{"k", "v"}}, Level::warn, true) ==
        "2026-05-04T03:02:01.007Z \033[33mwarn \033[0m m k=v");
  CHECK(text("m", {}, Level::error) == "2026-05-04T03:02:01.007Z error m");
}

TEST_CASE("a JSON line is one object with the fields beside time, level and message") {
  const std::vector<Field> fields = {{"image", "a \"b\""},
                                     {"status", std::int64_t{200}},
                                     {"bytes", std::numeric_limits<std::uint64_t>::max()},
                                     {"seconds", 0.25},
                                     {"never", std::nan("")},
                                     {"ok", false}};
  CHECK(json("request", fields, Level::error) ==
        R"({"time":"2026-05-04T03:02:01.007Z","level":"error","message":"request",)"
        R"("image":"a \"b\"","status":200,"bytes":18446744073709551615,"seconds":0.25,)"
        R"("never":null,"ok":false})");
}

TEST_CASE("a time before 1970 is written like any other") {
  const auto time = std::chrono::system_clock::time_point(std::chrono::milliseconds(-1));
  const std::vector<Field> none;
  CHECK(text_line({time, Level::info, "m", none}, false) == "1969-12-31T23:59:59.999Z info  m");
}

TEST_CASE("whatever a field holds, a line stays one line of valid JSON or plain text") {
  std::vector<std::string> values = {std::string(100'000, 'x'), std::string(100'000, '\n'),
                                     std::string(5'000, '\xff'), ""};
  for (int byte = 0; byte < 256; ++byte) {
    values.push_back("a"s + static_cast<char>(byte) + "b");
    values.push_back("\xe2"s + static_cast<char>(byte));
  }
  simdjson::dom::parser parser;
  for (const std::string& value : values) {
    const std::vector<Field> fields = {{"before", value}, {"after", "end"}};
    const std::string line = json(value, fields);
    CAPTURE(line);
    CHECK(line.size() < line_bytes_max);
    simdjson::dom::element object;
    REQUIRE(parser.parse(line).get(object) == simdjson::SUCCESS);
    CHECK(object["after"].error() == simdjson::SUCCESS);
    const std::string plain = text(value, fields);
    CHECK(plain.size() < line_bytes_max);
    CHECK(plain.find(" after=end") != std::string::npos);
    for (const char c : line + plain) CHECK_MESSAGE((static_cast<unsigned char>(c) >= 0x20), plain);
  }
}

TEST_CASE("fields that do not fit are counted") {
  const std::vector<Field> fields(10, {"k", std::string(1'000, 'v')});
  CHECK(text("m", fields).ends_with(" left_out=6"));
  CHECK(json("m", fields).ends_with(R"(,"left_out":7})"));
}

TEST_CASE("a long value is cut between two characters") {
  std::string value;
  for (int i = 0; i < 1'000; ++i) value += "\xe2\x82\xac";
  CHECK(text("m", {{"k", value}}).ends_with("\xe2\x82\xac..."));
}

}  // namespace
}  // namespace archway::metrics
