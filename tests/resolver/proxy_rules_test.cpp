#include "resolver/proxy_rules.hpp"

#include <doctest/doctest.h>
#include <string>

using namespace archway::resolver;

namespace {

Url url(const std::string& text) {
  return *Url::parse(text);
}

}  // namespace

TEST_CASE("a proxy is a host and a port, with a name and a password or without") {
  struct Row {
    const char* why;
    const char* text;
    const char* authority;
    const char* user_info;
  };
  const Row rows[] = {
      {"the usual", "http://proxy.lan:3128", "proxy.lan:3128", ""},
      {"a slash at the end", "http://Proxy.lan:3128/", "proxy.lan:3128", ""},
      {"no scheme", "proxy.lan:3128", "proxy.lan:3128", ""},
      {"no port", "http://proxy.lan", "proxy.lan:80", ""},
      {"an address", "http://[fd00::1]:8080", "[fd00::1]:8080", ""},
      {"a name and a password", "http://me:secret@proxy.lan:3128", "proxy.lan:3128", "me:secret"},
      {"a name alone", "http://me@proxy.lan:3128", "proxy.lan:3128", "me:"},
      {"escapes", "http://me%40work:p%3a%2Fq@proxy.lan:1", "proxy.lan:1", "me@work:p:/q"},
      {"an at sign as it is", "http://me:p@ss@proxy.lan:1", "proxy.lan:1", "me:p@ss"},
  };
  for (const Row& row : rows) {
    CAPTURE(std::string(row.why));
    const auto proxy = Proxy::parse(row.text);
    REQUIRE(proxy);
    CHECK(proxy->authority() == row.authority);
    CHECK(proxy->user_info == row.user_info);
    CHECK(proxy->unusable.empty());
  }
}

TEST_CASE("what is no proxy for archway is refused, and the message never shows it") {
  struct Row {
    const char* why;
    const char* text;
    const char* says;
  };
  const Row rows[] = {
      {"nothing", "", "no host and port"},
      {"TLS to the proxy", "https://me:hunter2@proxy.lan", "not reached over http"},
      {"SOCKS", "socks5://me:hunter2@proxy.lan", "not reached over http"},
      {"a path", "http://proxy.lan/hunter2", "a path"},
      {"no host", "http://:3128", "no host and port"},
      {"a port that is none", "http://proxy.lan:hunter2", "no host and port"},
      {"half an escape", "http://me:hunter2%4@proxy.lan", "cannot be read"},
      {"a line break in the password", "http://me:hunter2%0d%0aX: y@proxy.lan", "cannot be read"},
      {"a NUL in the password", "http://me:hunter2%00@proxy.lan", "cannot be read"},
      {"nobody", "http://@proxy.lan", "cannot be read"},
  };
  for (const Row& row : rows) {
    CAPTURE(std::string(row.why));
    const auto proxy = Proxy::parse(row.text);
    REQUIRE_FALSE(proxy);
    CHECK(proxy.error().message.find(row.says) != std::string::npos);
    CHECK(proxy.error().message.find("hunter2") == std::string::npos);
  }
}

TEST_CASE("NO_PROXY says what is reached without a proxy, as other programs read it") {
  struct Row {
    const char* why;
    const char* no_proxy;
    const char* url;
    bool proxied;
  };
  const Row rows[] = {
      {"nothing excepted", "", "https://registry.io", true},
      {"everything", "*", "https://registry.io", false},
      {"a name", "registry.io", "https://registry.io", false},
      {"another name", "registry.io", "https://xregistry.io", true},
      {"capitals", "Registry.IO", "https://registry.io", false},
      {"a name below", "registry.io", "https://a.b.registry.io", false},
      {"only what is below: a name below", ".registry.io", "https://a.registry.io", false},
      {"only what is below: the name", ".registry.io", "https://registry.io", true},
      {"a star before it", "*.registry.io", "https://a.registry.io", false},
      {"one of several", "a.io, b.io  c.io,", "https://c.io", false},
      {"its port", "registry.io:5000", "https://registry.io:5000", false},
      {"another port", "registry.io:5000", "https://registry.io", true},
      {"an address", "10.0.0.5", "https://10.0.0.5:5000", false},
      {"another address", "10.0.0.5", "https://10.0.0.6", true},
      {"a network", "10.0.0.0/8", "https://10.200.0.6", false},
      {"another network", "10.0.0.0/8", "https://11.0.0.6", true},
      {"an IPv6 network", "fd00::/8", "https://[fd00::7]:5000", false},
      {"an IPv6 address with a port", "[fd00::7]:5000", "https://[fd00::7]:5000", false},
      {"a name is no suffix of an address", "0.5", "https://10.0.0.5", true},
      {"nonsense", "10.0.0.0/99,:,[", "https://registry.io", true},
      {"this machine", "", "https://127.0.0.1:5000", false},
      {"this machine by IPv6", "", "https://[::1]:5000", false},
      {"this machine by name", "", "https://localhost:5000", false},
  };
  for (const Row& row : rows) {
    CAPTURE(std::string(row.why));
    const auto rules = proxy_rules_of("http://proxy.lan:3128", "", row.no_proxy);
    CHECK((rules.for_url(url(row.url)) != nullptr) == row.proxied);
  }
}

TEST_CASE("each scheme has its own proxy, and one that cannot be used is not passed by") {
  const auto rules = proxy_rules_of("socks5://a.lan", "b.lan:81", "");
  const auto* const https = rules.for_url(url("https://registry.io"));
  REQUIRE(https != nullptr);
  CHECK(https->unusable.find("the environment's HTTPS_PROXY") == 0);
  const auto* const http = rules.for_url(url("http://registry.io"));
  REQUIRE(http != nullptr);
  CHECK(http->authority() == "b.lan:81");
  CHECK(http->unusable.empty());
  CHECK(proxy_rules_of("", "", "").for_url(url("https://registry.io")) == nullptr);
}

TEST_CASE("a proxy that the operator gave an upstream is good for this machine, too") {
  const ProxyRules rules{.https = *Proxy::parse("proxy.lan:1"), .loopback_too = true};
  CHECK(rules.for_url(url("https://127.0.0.1")) != nullptr);
}
