#include "proxy/config/endpoint.hpp"

#include <doctest/doctest.h>
#include <string>

namespace archway::proxy {
namespace {

TEST_CASE("an endpoint is read and printed in its shortest form") {
  struct Row {
    const char* text;
    const char* want;
  };
  const Row rows[] = {
      {"0.0.0.0:5000", "0.0.0.0:5000"},    {"[::]:5000", "[::]:5000"},
      {"[0:0:0::1]:65535", "[::1]:65535"}, {"127.0.0.1:0", "127.0.0.1:0"},
      {"[FD00::A]:1", "[fd00::a]:1"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const auto endpoint = parse_endpoint(row.text);
    REQUIRE(endpoint.has_value());
    CHECK(endpoint->str() == row.want);
    CHECK(parse_endpoint(endpoint->str())->str() == row.want);
  }
  const auto socket = parse_admin_endpoint("unix:/run/a b.sock");
  REQUIRE(socket.has_value());
  CHECK(socket->unix_path == "/run/a b.sock");
  CHECK(socket->str() == "unix:/run/a b.sock");
}

TEST_CASE("no form of nonsense is an endpoint") {
  for (const char* text :
       {"", ":", "::", "[]:5000", "[::1", "[::1]5000", "[::1]:", "1.2.3.4:5000:5", "1.2.3:5000",
        "1.2.3.4:+1", "1.2.3.4: 1", " 1.2.3.4:1", "1.2.3.4:1 ", "[fe80::1%eth0]:5000", "unix:"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_endpoint(text).has_value());
    CHECK_FALSE(parse_admin_endpoint(text).has_value());
  }
}

TEST_CASE("endpoints overlap when one connection could mean both") {
  struct Row {
    const char* why;
    const char* a;
    const char* b;
    bool same;
    bool overlaps;
  };
  const Row rows[] = {
      {"equal", "127.0.0.1:1", "127.0.0.1:1", true, true},
      {"another port", "127.0.0.1:1", "127.0.0.1:2", false, false},
      {"another address", "127.0.0.1:1", "127.0.0.2:1", false, false},
      {"every address", "0.0.0.0:1", "127.0.0.2:1", false, true},
      {"every IPv6 address", "[::]:1", "[::1]:1", false, true},
      {"of the other family", "[::]:1", "127.0.0.1:1", false, false},
      {"ports of the system's choice", "127.0.0.1:0", "127.0.0.1:0", false, false},
      {"one socket", "unix:/a", "unix:/a", true, true},
      {"two sockets", "unix:/a", "unix:/b", false, false},
      {"a socket and an address", "unix:/a", "0.0.0.0:1", false, false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.why);
    const auto a = *parse_admin_endpoint(row.a);
    const auto b = *parse_admin_endpoint(row.b);
    CHECK(same_endpoint(a, b) == row.same);
    CHECK(same_endpoint(b, a) == row.same);
    CHECK(overlap(a, b) == row.overlaps);
    CHECK(overlap(b, a) == row.overlaps);
  }
}

}  // namespace
}  // namespace archway::proxy
