#include "resolver/glob.hpp"

#include <doctest/doctest.h>
#include <string>

using archway::resolver::glob_matches;

TEST_CASE("a glob matches the whole text or not at all") {
  struct Row {
    std::string why;
    std::string pattern;
    std::string text;
    bool want;
  };
  const Row rows[] = {
      {"the same", "docker.io/library/alpine:3", "docker.io/library/alpine:3", true},
      {"a dot is a dot", "docker.io", "dockerxio", false},
      {"only the front", "docker", "docker.io", false},
      {"only the end", "io", "docker.io", false},
      {"a star", "ghcr.io/signed/*", "ghcr.io/signed/a/b:1", true},
      {"a star for nothing", "a*b", "ab", true},
      {"stars in a row", "a***b", "axxb", true},
      {"a star that must give back", "*.1", "1.1.1", true},
      {"two stars", "docker.io/*:*-alpine", "docker.io/library/go:1-alpine", true},
      {"a star and no end", "a*b", "axxc", false},
      {"everything", "*", "", true},
      {"nothing", "", "", true},
      {"nothing against something", "", "a", false},
      {"one character", "a?c", "abc", true},
      {"one character that is missing", "a?", "a", false},
      {"a version", "docker.io/library/*:[0-9]*.[0-9]*.[0-9]*", "docker.io/library/go:1.22.3",
       true},
      {"half a version", "docker.io/library/*:[0-9]*.[0-9]*.[0-9]*", "docker.io/library/go:1.22",
       false},
      {"a word for a version", "*:[0-9]*", "docker.io/library/go:latest", false},
      {"a set", "[abc]x", "bx", true},
      {"not in the set", "[abc]x", "dx", false},
      {"several ranges", "[a-cx-z5]", "y", true},
      {"a negated set", "[!0-9]", "a", true},
      {"negated with a caret", "[^0-9]", "5", false},
      {"a bracket in the set", "[]a]", "]", true},
      {"a dash at the end of a set", "[a-]", "-", true},
      {"a set needs a character", "[a]", "", false},
      {"a bracket left open", "[a", "[a", true},
      {"escaped", R"(\*a\[)", "*a[", true},
      {"escaped, so no star", R"(\*)", "a", false},
      {"a backslash at the end", "a\\", "a\\", true},
      {"bytes beyond ASCII", "[\xc3]\xa4", "\xc3\xa4", true},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    CHECK(glob_matches(row.pattern, row.text) == row.want);
  }
}

TEST_CASE("a pattern of many stars is not tried in all combinations") {
  std::string pattern;
  for (int i = 0; i < 200; ++i) pattern += "*a";
  CHECK(!glob_matches(pattern + "b", std::string(5'000, 'a')));
}
