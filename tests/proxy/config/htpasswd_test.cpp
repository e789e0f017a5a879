#include "proxy/config/htpasswd.hpp"

#include "tests/proxy/access/htpasswd.hpp"

#include <doctest/doctest.h>
#include <string>

namespace archway::proxy {
namespace {

using test::htpasswd_alice;
using test::htpasswd_bob;

TEST_CASE("htpasswd files are read, and only bcrypt counts") {
  const auto users = read_htpasswd("# people\n\n" + htpasswd_alice + "\r\n" + htpasswd_bob);
  REQUIRE(users);
  CHECK(users->size() == 2);
  struct Row {
    const char* why;
    std::string text;
    const char* want;
  };
  const std::string letters(53, 'a');
  const char* const not_bcrypt =
      "line 2: the password is not hashed with bcrypt (cost 4 to 16), as `htpasswd -B` does it";
  const Row rows[] = {
      {"no colon", "alice\n", "line 2: allowed: NAME:HASH, as `htpasswd -B` writes it"},
      {"no name", ":" + letters, "line 2: allowed: NAME:HASH, as `htpasswd -B` writes it"},
      {"plain text", "alice:canary\n", not_bcrypt},
      {"MD5", "alice:$apr1$canary\n", not_bcrypt},
      {"SHA", "alice:{SHA}canary\n", not_bcrypt},
      {"another bcrypt", "alice:$2x$10$" + letters, not_bcrypt},
      {"a cost that never ends", "alice:$2y$31$" + letters, not_bcrypt},
      {"a cost that is none", "alice:$2y$1a$" + letters, not_bcrypt},
      {"cut short", "alice:$2y$10$aaaa", not_bcrypt},
      {"another letter", "alice:$2y$10$" + std::string(52, 'a') + "*", not_bcrypt},
  };
  for (const Row& row : rows) {
    CAPTURE(row.why);
    const auto refused = read_htpasswd("# first\n" + row.text);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().message == row.want);
  }
}

}  // namespace
}  // namespace archway::proxy
