#include "resolver/model/text.hpp"

#include <doctest/doctest.h>

namespace archway {
namespace {

TEST_CASE("ASCII letters become small, and nothing else changes") {
  CHECK(lower("") == "");
  CHECK(lower("AZ[@az0-\xc3\x84") == "az[@az0-\xc3\x84");
}

TEST_CASE("what surrounds a text goes, what is within it stays") {
  CHECK(trimmed("").empty());
  CHECK(trimmed(" \t ").empty());
  CHECK(trimmed("a") == "a");
  CHECK(trimmed("\t a b\r ") == "a b\r");
  CHECK(trimmed("\t a b\r ", " \t\r") == "a b");
}

}  // namespace
}  // namespace archway
