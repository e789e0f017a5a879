#include "metrics/escape.hpp"

#include <doctest/doctest.h>
#include <string>

namespace archway::metrics {
namespace {

using namespace std::string_literals;

struct Row {
  const char* why;
  std::string text;
  std::string want_text;
  std::string want_json;
  bool want_quotes;
};

const Row rows[] = {
    {"plain", "docker.io/library/hi", "docker.io/library/hi", "docker.io/library/hi", false},
    {"empty", "", "", "", true},
    {"a space", "a b", "a b", "a b", true},
    {"an equals sign", "a=b", "a=b", "a=b", true},
    {"a quote", "a\"b", "a\\\"b", "a\\\"b", true},
    {"a backslash", "a\\b", "a\\\\b", "a\\\\b", true},
    {"a forged line", "a\nlevel=error", "a\\nlevel=error", "a\\nlevel=error", true},
    {"carriage return and tab", "\r\t", "\\r\\t", "\\r\\t", true},
    {"NUL", "a\0b"s, "a\\u0000b", "a\\u0000b", true},
    {"a terminal's escape", "\x1b[2J", "\\u001b[2J", "\\u001b[2J", true},
    {"DEL", "\x7f", "\\u007f", "\\u007f", true},
    {"C1: a one-byte CSI in UTF-8", "\xc2\x9b", "\\u009b", "\\u009b", true},
    {"no-break space is text", "\xc2\xa0", "\xc2\xa0", "\xc2\xa0", false},
    {"two, three and four bytes", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\xb3",
     "\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\xb3", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\xb3", false},
    {"line separator", "\xe2\x80\xa8", "\\u2028", "\\u2028", true},
    {"right-to-left override", "\xe2\x80\xae", "\\u202e", "\\u202e", true},
    {"a lone continuation byte", "\x80", "\\x80", "\\\\x80", true},
    {"a cut sequence", "\xe2\x82", "\\xe2\\x82", "\\\\xe2\\\\x82", true},
    {"an overlong slash", "\xc0\xaf", "\\xc0\\xaf", "\\\\xc0\\\\xaf", true},
    {"an overlong three-byte form", "\xe0\x80\xaf", "\\xe0\\x80\\xaf", "\\\\xe0\\\\x80\\\\xaf",
     true},
    {"a surrogate", "\xed\xa0\x80", "\\xed\\xa0\\x80", "\\\\xed\\\\xa0\\\\x80", true},
    {"past the last code point", "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80",
     "\\\\xf4\\\\x90\\\\x80\\\\x80", true},
    {"a byte that starts nothing", "\xff", "\\xff", "\\\\xff", true},
};

TEST_CASE("what could act on a line is escaped, the rest stays as it is") {
  for (const Row& row : rows) {
    CAPTURE(row.why);
    std::string text;
    append_text_escaped(text, row.text);
    CHECK(text == row.want_text);
    std::string json;
    append_json_escaped(json, row.text);
    CHECK(json == row.want_json);
  }
}

TEST_CASE("a value stands in quotes exactly when it could not be read back without") {
  for (const Row& row : rows) {
    CAPTURE(row.why);
    CHECK(needs_quotes(row.text) == row.want_quotes);
  }
}

}  // namespace
}  // namespace archway::metrics
