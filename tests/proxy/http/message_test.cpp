#include "proxy/http/message.hpp"

#include <doctest/doctest.h>

namespace archway::proxy {
namespace {

TEST_CASE("names compare without case, in ASCII only and in full length") {
  CHECK(equal_without_case("", ""));
  CHECK(equal_without_case("ETag", "etAG"));
  CHECK(!equal_without_case("ETag", "ETags"));
  CHECK(!equal_without_case("ETags", "ETag"));
  CHECK(!equal_without_case("a", "b"));
  CHECK(!equal_without_case("[", "{"));        // One bit apart, as letters are, but no letters.
  CHECK(!equal_without_case("\xc4", "\xe4"));  // Letters in Latin-1 only.
}

TEST_CASE("fields keep repeated lines apart") {
  Fields fields;
  fields.add("Accept", "a");
  fields.add("Host", "h");
  fields.add("accept", "b");
  CHECK(fields.size() == 3);
  CHECK(fields.find("ACCEPT") == "a");
  CHECK(fields.all("Accept") == std::vector<std::string_view>{"a", "b"});
  CHECK(fields.all("Range").empty());
  CHECK(fields.contains("host"));
  CHECK(!fields.contains("hos"));
}

TEST_CASE("an answer knows its length before it is sent, unless a fill's is unknown") {
  CHECK(Response{}.length() == 0);
  CHECK(Response{.body = bytes_body("abc")}.length() == 3);
  CHECK(Response{.body = FileBody{.length = 1ULL << 40}}.length() == 1ULL << 40);
  CHECK(Response{.body = GrowingBody{.length = 5}}.length() == 5);
  CHECK(!Response{.body = GrowingBody{}}.length());
}

}  // namespace
}  // namespace archway::proxy
