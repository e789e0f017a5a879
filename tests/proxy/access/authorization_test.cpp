#include "proxy/access/authorization.hpp"

#include <doctest/doctest.h>
#include <string>
#include <vector>

namespace archway::proxy {
namespace {

Result<Shown> read(const std::vector<std::string>& lines) {
  Fields fields;
  for (const auto& line : lines) fields.add("Authorization", line);
  return read_authorization(fields);
}

TEST_CASE("what a client shows is a name and password, a token, or nothing") {
  struct Row {
    const char* why;
    std::vector<std::string> lines;
    const char* username;
    const char* password;
    const char* bearer;
  };
  const Row rows[] = {
      {"no header", {}, "", "", ""},
      {"alice:wonder", {"Basic YWxpY2U6d29uZGVy"}, "alice", "wonder", ""},
      {"the scheme has no case", {"bAsIc YWxpY2U6d29uZGVy"}, "alice", "wonder", ""},
      {"a colon in the password", {"Basic YTpiOmM="}, "a", "b:c", ""},
      {"a name without a password", {"Basic YTo="}, "a", "", ""},
      {"podman without credentials sends a colon", {"Basic Og=="}, "", "", ""},
      {"a token", {"Bearer abc.def"}, "", "", "abc.def"},
      {"another scheme", {"Negotiate abc"}, "", "", ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.why);
    const auto shown = read(row.lines);
    REQUIRE(shown);
    CHECK(shown->basic.has_value() == (std::string(row.username) != ""));
    if (shown->basic) {
      CHECK(shown->basic->username == row.username);
      CHECK(shown->basic->password == row.password);
    }
    CHECK(shown->bearer == row.bearer);
    CHECK(shown->nothing() == (!shown->basic && shown->bearer.empty()));
  }
}

TEST_CASE("a header that cannot be read is refused without being repeated") {
  struct Row {
    const char* why;
    std::vector<std::string> lines;
  };
  const Row rows[] = {
      {"two of them", {"Basic YTpi", "Basic YTpi"}},
      {"nothing behind the scheme", {"Basic"}},
      {"no base64", {"Basic canary!!"}},
      {"cut base64", {"Basic YTpiO"}},
      {"no colon", {"Basic Y2FuYXJ5"}},
      {"a line end in the password", {"Basic YTpiCg=="}},
      {"an empty token", {"Bearer "}},
      {"a blank in a token", {"Bearer canary canary"}},
      {"longer than any", {"Bearer " + std::string(20'000, 'c')}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.why);
    const auto shown = read(row.lines);
    REQUIRE_FALSE(shown);
    CHECK(shown.error().code == Errc::request_invalid);
    CHECK(shown.error().message == "the Authorization header cannot be read");
    CHECK(shown.error().context.empty());
  }
}

}  // namespace
}  // namespace archway::proxy
