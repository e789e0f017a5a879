#include "proxy/config/yaml_tree.hpp"

#include "tests/proxy/config/reading.hpp"

#include <chrono>
#include <doctest/doctest.h>
#include <string>

namespace archway::proxy {
namespace {

using namespace std::string_view_literals;

TEST_CASE("what is no plain YAML is reported") {
  const BadRow rows[] = {
      {"an unclosed bracket", "listen: [\n",
       "2:1: this is not valid YAML: end of sequence flow not found"},
      {"a mapping within a line", "admin: b: c\n",
       "1:9: this is not valid YAML: illegal map value"},
      {"a wrong indent", "admin: none\n  drain: 5s\n",
       "2:8: this is not valid YAML: illegal map value"},
      {"a tab for an indent", "cache:\n\tdirectory: /a\n",
       "2:11: this is not valid YAML: illegal map value; indent by blanks, not by tabs"},
      {"an unclosed quote", "admin: \"none\ndrain: 5s\n", "1:8: this quote is never closed"},
      {"an unclosed single quote", "admin: 'none''\n", "1:8: this quote is never closed"},
      {"an alias", "cache: &c {}\nlog: *c\n",
       "2:6: aliases (*name) are not supported; write the value out"},
      {"an alias of itself", "listen: &l [*l]\n",
       "1:13: aliases (*name) are not supported; write the value out"},
      {"an alias of nothing", "admin: *a\n",
       "1:8: aliases (*name) are not supported; write the value out"},
      {"a tag", "threads: !!int 5\n", "1:10: tags (!name) are not supported"},
      {"a tag of one's own", "cache: !cache {}\n", "1:8: tags (!name) are not supported"},
      {"a second document", "admin: none\n---\ndrain: 5s\n",
       "3:1: a second document begins here; only one is allowed"},
      {"nested without end",
       "listen: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]\n",
       "1:40: it is nested too deeply"},
      {"UTF-16", "\377\376a\000"sv, "1:1: the file is in UTF-16; save it as UTF-8"},
      {"Latin-1", "admin: none # \351\n", "1:15: this byte is not UTF-8; save the file as UTF-8"},
      {"a cut character", "admin: \342\202", "1:8: this byte is not UTF-8; save the file as UTF-8"},
      {"a NUL", "admin: none\n\000"sv, "2:1: a control character has no place in a configuration"},
      {"an escape", "admin: none\n# \033[2J\n",
       "2:3: a control character has no place in a configuration"},
      {"a lone carriage return", "admin: none\rdrain: 5s\n",
       "1:12: a control character has no place in a configuration"},
      {"an unknown escape in a quote", "admin: \"\\q\"\n",
       "1:11: this is not valid YAML: unknown escape character: q"},
      {"a reserved character", "admin: @none\n", "1:8: this is not valid YAML: unknown token"},
  };
  check_refused(rows);
}

TEST_CASE("every usual form of a file is read alike") {
  struct Row {
    const char* why;
    std::string_view text;
  };
  const Row rows[] = {
      {"plain", "admin: none\ndrain: 7s\n"},
      {"no newline at the end", "admin: none\ndrain: 7s"},
      {"CRLF", "admin: none\r\ndrain: 7s\r\n"},
      {"a byte order mark",
       "\xef\xbb\xbf"
       "admin: none\ndrain: 7s\n"},
      {"a document marker", "---\nadmin: none\ndrain: 7s\n...\n"},
      {"flow style", "{admin: none, drain: 7s}"},
      {"JSON", "{\"admin\": \"none\", \"drain\": \"7s\"}"},
      {"quotes", "'admin': 'none'\n\"drain\": \"7s\"\n"},
      {"comments in every script", "# \xc3\xa4\xe4\xbd\xa0\nadmin: none # x\ndrain: 7s\n"},
      {"an anchor that nobody uses", "admin: &a none\ndrain: 7s\n"},
      {"a block scalar", "admin: |-\n  none\ndrain: >-\n  7s\n"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.why);
    const Settings settings = settings_of(row.text);
    CHECK_FALSE(settings.admin.has_value());
    CHECK(settings.drain == std::chrono::seconds(7));
  }
}

TEST_CASE("an empty file is all defaults") {
  for (const char* text : {"", "\n", "# nothing\n", "---\n", "{}", "~"}) {
    CAPTURE(text);
    CHECK(settings_of(text).drain == std::chrono::seconds(25));
  }
}

TEST_CASE("places count lines and columns from 1, whatever the line ends") {
  const ReadOutcome outcome = outcome_of(
      "\xef\xbb\xbf"
      "# \xc3\xa4\r\nlog:\r\n  level: x\r\n");
  REQUIRE(outcome.problems.size() == 1);
  CHECK(outcome.problems[0].line == 3);
  CHECK(outcome.problems[0].column == 10);
}

TEST_CASE("a mapping keeps every pair in the order of the file, values as text") {
  const ParsedYaml parsed = parse_yaml("a: 010\nb: no\na: [~, \"\"]\n");
  CHECK(parsed.failure.empty());
  const Yaml& root = parsed.root;
  REQUIRE(root.kind == Yaml::Kind::mapping);
  REQUIRE(root.keys.size() == 3);
  CHECK(root.keys[2].text == "a");
  CHECK(root.items[0].text == "010");
  CHECK(root.items[1].text == "no");
  REQUIRE(root.items[2].items.size() == 2);
  CHECK(root.items[2].items[0].kind == Yaml::Kind::null);
  CHECK(root.items[2].items[1].kind == Yaml::Kind::scalar);
}

}  // namespace
}  // namespace archway::proxy
