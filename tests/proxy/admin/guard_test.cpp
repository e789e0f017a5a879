#include "proxy/admin/guard.hpp"

#include <doctest/doctest.h>
#include <optional>
#include <string>
#include <vector>

namespace archway::proxy {
namespace {

TEST_CASE("only who asks by an address, and no page of another host, changes anything") {
  struct Row {
    const char* why;
    std::optional<std::string> host;
    std::optional<std::string> origin;
    bool obeyed;
  };
  const Settings::Endpoint port{.address = "127.0.0.1", .port = 5001};
  for (const auto& row : std::vector<Row>{
           {"by the address", "127.0.0.1:5001", {}, true},
           {"by any other address", "10.1.2.3:5001", {}, true},
           {"by IPv6", "[::1]:5001", {}, true},
           {"without a port", "127.0.0.1", {}, true},
           {"IPv6 without a port", "[::1]", {}, true},
           {"localhost", "localhost:5001", {}, true},
           {"localhost in capitals", "LocalHost", {}, true},
           {"HTTP/1.0 without a Host", {}, {}, true},
           {"a name that leads here", "evil.example:5001", {}, false},
           {"a name with an address in it", "127.0.0.1.evil.example", {}, false},
           {"a name below localhost", "a.localhost", {}, false},
           {"a number that is an address to some", "2130706433", {}, false},
           {"nothing", "", {}, false},
           {"a page of this address", "127.0.0.1:5001", "http://127.0.0.1:5001", true},
           {"the same by TLS in front", "127.0.0.1:5001", "https://127.0.0.1:5001", true},
           {"a page of another host", "127.0.0.1:5001", "http://evil.example", false},
           {"a page of another port", "127.0.0.1:5001", "http://127.0.0.1:8080", false},
           {"a page that hides its host", "127.0.0.1:5001", "null", false},
           {"another scheme", "127.0.0.1:5001", "ftp://127.0.0.1:5001", false},
           {"its own name, by that name", "evil.example", "http://evil.example", false},
       }) {
    CAPTURE(row.why);
    Request request;
    if (row.host) request.fields.add("Host", *row.host);
    if (row.origin) request.fields.add("Origin", *row.origin);
    CHECK(why_not_obeyed(request, port).empty() == row.obeyed);
  }
}

TEST_CASE("by a unix socket the Host is whatever it is, but pages are refused all the same") {
  const Settings::Endpoint socket{.address = "", .port = 0, .unix_path = "/run/admin.sock"};
  Request request;
  request.fields.add("Host", "archway");
  CHECK(why_not_obeyed(request, socket) == "");
  request.fields.add("Origin", "http://evil.example");
  CHECK(why_not_obeyed(request, socket).find("\"http://evil.example\"") != std::string::npos);
}

TEST_CASE("one good Origin does not make up for a bad one") {
  Request request;
  request.fields.add("Host", "127.0.0.1");
  request.fields.add("Origin", "http://127.0.0.1");
  request.fields.add("Origin", "http://evil.example");
  CHECK(why_not_obeyed(request, {.address = "127.0.0.1", .port = 80}) != "");
}

}  // namespace
}  // namespace archway::proxy
