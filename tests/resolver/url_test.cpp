#include "resolver/url.hpp"

#include <doctest/doctest.h>
#include <string>
#include <vector>

using archway::Errc;
using archway::resolver::Url;

TEST_CASE("a URL is taken apart and put together again") {
  struct Row {
    std::string why;
    std::string text;
    std::string host;
    int port;
    std::string target;
    std::string origin;
  };
  const std::vector<Row> rows = {
      {"plain", "https://ghcr.io", "ghcr.io", 443, "/", "https://ghcr.io"},
      {"http", "http://ghcr.io/", "ghcr.io", 80, "/", "http://ghcr.io"},
      {"a port", "http://10.0.0.5:5000/v2/", "10.0.0.5", 5000, "/v2/", "http://10.0.0.5:5000"},
      {"its own port", "https://a.b:443/x", "a.b", 443, "/x", "https://a.b"},
      {"the other's port", "http://a.b:443/x", "a.b", 443, "/x", "http://a.b:443"},
      {"capitals", "HTTPS://GHCR.io/A", "ghcr.io", 443, "/A", "https://ghcr.io"},
      {"a query", "https://a.b/c?d=/e%20&f", "a.b", 443, "/c?d=/e%20&f", "https://a.b"},
      {"a query alone", "https://a.b?d", "a.b", 443, "/?d", "https://a.b"},
      {"IPv6", "http://[FD00::0:1]:5000/x", "fd00::1", 5000, "/x", "http://[fd00::1]:5000"},
      {"IPv6 without a port", "https://[::1]", "::1", 443, "/", "https://[::1]"},
      {"one word", "http://registry:5000", "registry", 5000, "/", "http://registry:5000"},
      {"an at sign in the path", "https://a.b/c@d:e", "a.b", 443, "/c@d:e", "https://a.b"},
      {"an underscore", "http://my_registry", "my_registry", 80, "/", "http://my_registry"},
      {"digits, but not at the end", "http://1.2.3.4.nip.io", "1.2.3.4.nip.io", 80, "/",
       "http://1.2.3.4.nip.io"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    const auto url = Url::parse(row.text);
    REQUIRE(url);
    CHECK(url->host == row.host);
    CHECK(url->port == row.port);
    CHECK(url->target == row.target);
    CHECK(url->origin() == row.origin);
    CHECK(url->str() == row.origin + row.target);
    CHECK(*Url::parse(url->str()) == *url);
  }
  CHECK(Url::parse("http://[::1]:80/")->authority() == "[::1]");
  CHECK(Url::parse("http://a.b:81/")->authority() == "a.b:81");
}

TEST_CASE("a URL that could mean two things to two readers is refused") {
  struct Row {
    std::string why;
    std::string text;
    const char* says;
  };
  const std::vector<Row> rows = {
      {"empty", "", "start with http:// or https://"},
      {"no scheme", "ghcr.io/x", "start with http:// or https://"},
      {"another scheme", "ftp://a.b", "start with http:// or https://"},
      {"a file", "file:///etc/passwd", "start with http:// or https://"},
      {"one slash", "https:/a.b", "start with http:// or https://"},
      {"no host", "https://", "its host is neither"},
      {"no host but a port", "https://:5000/", "its host is neither"},
      {"a user", "https://me@a.b/", "a user name and password have no place"},
      {"a user that looks like a host", "https://good.io:443@evil.io/", "a user name and password"},
      {"a fragment", "https://a.b/c#d", "a fragment"},
      {"a fragment behind the host", "https://a.b#@c.d", "a fragment"},
      {"a backslash", "https://a.b\\@c.d/", "a fragment (#) or a backslash"},
      {"a space", "https://a.b/c d", "characters that no URL has"},
      {"a line break", "https://a.b/\r\nHost: c", "characters that no URL has"},
      {"beyond ASCII", "https://m\xc3\xbcller.de/", "characters that no URL has"},
      {"an escape in the host", "https://a%2eb/", "its host is neither"},
      {"an empty label", "https://a..b/", "its host is neither"},
      {"a dot at the end", "https://a.b./", "its host is neither"},
      {"a dash at the start", "https://-a.b/", "its host is neither"},
      {"an address as one number", "http://2130706433/", "its host is neither"},
      {"an address in hex", "http://0x7f.0.0.1/", "its host is neither"},
      {"a hex end", "http://127.0.0.0x1/", "its host is neither"},
      {"an octal address", "http://0177.0.0.1/", "its host is neither"},
      {"a short address", "http://127.1/", "its host is neither"},
      {"an address out of range", "http://1.2.3.256/", "its host is neither"},
      {"IPv6 without brackets", "http://fd00::1/", "its port is not a number"},
      {"IPv4 in brackets", "http://[1.2.3.4]/", "its host is neither"},
      {"brackets left open", "http://[::1/", "its host is neither"},
      {"text behind the brackets", "http://[::1]x/", "its host is neither"},
      {"a zone", "http://[fe80::1%25lo]/", "its host is neither"},
      {"an empty port", "http://a.b:/", "its port is not a number"},
      {"port 0", "http://a.b:0/", "its port is not a number"},
      {"port 65536", "http://a.b:65536/", "its port is not a number"},
      {"a port with a sign", "http://a.b:+80/", "its port is not a number"},
      {"two ports", "http://a.b:80:80/", "its port is not a number"},
      {"a long label", "http://" + std::string(64, 'a') + ".b/", "its host is neither"},
      {"too long", "http://a.b/" + std::string(Url::length_max, 'a'), "longer than 16 KiB"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    const auto url = Url::parse(row.text);
    REQUIRE(!url);
    CHECK(url.error().code == Errc::configuration_invalid);
    CHECK(url.error().message.find(row.says) != std::string::npos);
  }
}

TEST_CASE("the message for a URL never repeats it: it may hold a secret") {
  const auto url = Url::parse("https://me:hunter2@a.b/?signature=hunter2");
  REQUIRE(!url);
  CHECK(url.error().message.find("hunter2") == std::string::npos);
  CHECK(url.error().context.find("hunter2") == std::string::npos);
}
