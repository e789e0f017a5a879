#include "proxy/config/nearest.hpp"

#include <doctest/doctest.h>
#include <string>

namespace archway::proxy {
namespace {

TEST_CASE("the distance counts typing errors") {
  struct Row {
    const char* why;
    const char* a;
    const char* b;
    std::size_t want;
  };
  const Row rows[] = {
      {"equal", "listen", "listen", 0},
      {"one left out", "listn", "listen", 1},
      {"one too many", "listten", "listen", 1},
      {"one wrong", "lisben", "listen", 1},
      {"two swapped", "litsen", "listen", 1},
      {"capitals", "LISTEN", "listen", 0},
      {"a dash", "max-size", "max_size", 0},
      {"nothing", "", "abc", 3},
      {"all of it", "abc", "", 3},
      {"two errors", "lsiten_", "listen", 2},
  };
  for (const Row& row : rows) {
    CAPTURE(row.why);
    CHECK(edit_distance(row.a, row.b) == row.want);
    CHECK(edit_distance(row.b, row.a) == row.want);
  }
}

TEST_CASE("the nearest word is offered while it is near enough") {
  const std::vector<std::string_view> words = {"serve", "config", "version", "username", "pass"};
  struct Row {
    const char* why;
    std::string word;
    const char* want;  ///< "" for none
  };
  const Row rows[] = {
      {"swapped", "sevre", "serve"},
      {"doubled", "confiig", "config"},
      {"two errors in seven letters", "verzionn", "version"},
      {"three errors in seven letters", "werzionn", ""},
      {"a beginning", "user", "username"},
      {"a word that goes on", "password", "pass"},
      {"too short a beginning", "us", ""},
      {"nothing alike", "warm", ""},
      {"nothing", "", ""},
      {"endless", std::string(100'000, 's'), ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.why);
    CHECK(nearest(row.word, words).value_or("") == row.want);
  }
}

TEST_CASE("of equally near words the first is offered") {
  CHECK(nearest("bog", {"dog", "fog"}) == "dog");
  CHECK_FALSE(nearest("bog", {}).has_value());
}

}  // namespace
}  // namespace archway::proxy
