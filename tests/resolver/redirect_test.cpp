#include "resolver/redirect.hpp"

#include <doctest/doctest.h>
#include <string>
#include <vector>

using namespace archway::resolver;
using archway::Errc;

namespace {

const Url blob = *Url::parse("https://registry.io/v2/a/blobs/x?y=z");

Address at(const char* text) {
  return *Address::parse(text);
}

}  // namespace

TEST_CASE("a Location is resolved against the URL that answered with it") {
  struct Row {
    std::string why;
    std::string location;
    std::string want;
    bool other_origin;
  };
  const std::vector<Row> rows = {
      {"a CDN", "https://cdn.io/d?sig=a%2Fb", "https://cdn.io/d?sig=a%2Fb", true},
      {"the same place", "https://registry.io/d", "https://registry.io/d", false},
      {"the same place, its port said", "https://REGISTRY.io:443/d", "https://registry.io/d",
       false},
      {"another port", "https://registry.io:8443/d", "https://registry.io:8443/d", true},
      {"a name below", "https://a.registry.io/d", "https://a.registry.io/d", true},
      {"without a scheme", "//cdn.io/d", "https://cdn.io/d", true},
      {"a path", "/d/e?f", "https://registry.io/d/e?f", false},
      {"a path beside", "d", "https://registry.io/v2/a/blobs/d", false},
      {"a path upwards", "../../d", "https://registry.io/v2/d", false},
      {"a path above everything", "/../../d", "https://registry.io/d", false},
      {"dots within", "/a/./b/../c/.", "https://registry.io/a/c/", false},
      {"a colon in a path beside", "./sha256:abc", "https://registry.io/v2/a/blobs/sha256:abc",
       false},
      {"dots in a query stay", "/d?e=/../f", "https://registry.io/d?e=/../f", false},
      {"a query alone", "?q", "https://registry.io/v2/a/blobs/x?q", false},
      {"a fragment is dropped", "/d#e", "https://registry.io/d", false},
      {"a fragment alone", "#e", "https://registry.io/v2/a/blobs/x?y=z", false},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    const auto redirect = follow(blob, row.location);
    REQUIRE(redirect);
    CHECK(redirect->url.str() == row.want);
    CHECK(redirect->other_origin == row.other_origin);
  }
}

TEST_CASE("a redirect that would be a risk is not followed, and the message says which") {
  struct Row {
    std::string why;
    std::string location;
    const char* says;
  };
  const std::vector<Row> rows = {
      {"none", "", "it does not say where to"},
      {"downgrade", "http://registry.io/d", "it leads from https to http"},
      {"a file", "file:///etc/passwd", "start with http:// or https://"},
      {"a script", "javascript:alert(1)", "start with http:// or https://"},
      {"a user", "https://me:hunter2@cdn.io/hunter2", "a user name and password"},
      {"a user without a scheme", "//me@cdn.io/", "a user name and password"},
      {"a line break", "/d\r\nX: y", "characters that no URL has"},
      {"a backslash", "\\\\cdn.io\\d", "a backslash"},
      {"no host", "https:///d", "its host is neither"},
      {"an address in disguise", "https://2130706433/", "its host is neither"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    const auto redirect = follow(blob, row.location);
    REQUIRE(!redirect);
    const auto& error = redirect.error();
    CHECK(error.code == Errc::upstream_failed);
    CHECK(error.origin == archway::Origin::upstream);
    CHECK(error.message.find("registry.io answered with a redirect that is not followed: ") == 0);
    CHECK(error.message.find(row.says) != std::string::npos);
    CHECK((error.message + error.context).find("hunter2") == std::string::npos);
  }
}

TEST_CASE("http may lead to https, as another origin") {
  const auto redirect = follow(*Url::parse("http://registry.io/a"), "https://registry.io/a");
  REQUIRE(redirect);
  CHECK(redirect->other_origin);
}

TEST_CASE("addresses are told apart by where in the world they are") {
  struct Row {
    const char* address;
    AddressKind want;
  };
  const std::vector<Row> rows = {
      {"1.1.1.1", AddressKind::global},
      {"2606:4700::1111", AddressKind::global},
      {"172.15.255.255", AddressKind::global},
      {"172.32.0.0", AddressKind::global},
      {"11.0.0.0", AddressKind::global},
      {"10.255.255.255", AddressKind::local},
      {"172.16.0.0", AddressKind::local},
      {"172.31.255.255", AddressKind::local},
      {"192.168.0.1", AddressKind::local},
      {"100.64.0.1", AddressKind::local},
      {"198.19.0.1", AddressKind::local},
      {"fd00::1", AddressKind::local},
      {"fec0::1", AddressKind::local},
      {"127.0.0.1", AddressKind::loopback},
      {"127.255.255.255", AddressKind::loopback},
      {"::1", AddressKind::loopback},
      {"169.254.169.254", AddressKind::link_local},
      {"fe80::1", AddressKind::link_local},
      {"0.0.0.0", AddressKind::never},
      {"::", AddressKind::never},
      {"224.0.0.1", AddressKind::never},
      {"255.255.255.255", AddressKind::never},
      {"ff02::1", AddressKind::never},
      {"::ffff:10.0.0.1", AddressKind::local},
      {"::ffff:127.0.0.1", AddressKind::loopback},
      {"::7f00:1", AddressKind::never},
      {"64:ff9b::a9fe:a9fe", AddressKind::link_local},
      {"64:ff9b::101:101", AddressKind::global},
      {"64:ff9b:1::1", AddressKind::local},
      {"2002:7f00:1::1", AddressKind::loopback},
      {"2002:101:101::1", AddressKind::global},
  };
  for (const auto& row : rows) {
    CAPTURE(std::string(row.address));
    CHECK(kind_of(at(row.address)) == row.want);
  }
}

TEST_CASE("an upstream leads no further into private networks than it is itself") {
  struct Row {
    std::string why;
    const char* target;
    const char* upstream;
    bool want;
  };
  const std::vector<Row> rows = {
      {"out in the world", "1.1.1.1", "8.8.8.8", true},
      {"from the world inside", "10.0.0.1", "8.8.8.8", false},
      {"from the world to this machine", "127.0.0.1", "8.8.8.8", false},
      {"from the world to the metadata service", "169.254.169.254", "8.8.8.8", false},
      {"inside", "10.0.0.9", "192.168.1.1", true},
      {"from inside to the world", "1.1.1.1", "10.0.0.5", true},
      {"from inside to this machine", "127.0.0.1", "10.0.0.5", false},
      {"from inside to the metadata service", "169.254.169.254", "10.0.0.5", false},
      {"on this machine", "::1", "127.0.0.1", true},
      {"from this machine inside", "10.0.0.1", "127.0.0.1", true},
      {"from this machine to the metadata service", "169.254.169.254", "127.0.0.1", false},
      {"on one link", "fe80::2", "fe80::1", true},
      {"from one link to this machine", "::1", "fe80::1", false},
      {"to nobody", "0.0.0.0", "127.0.0.1", false},
      {"to everybody", "224.0.0.1", "224.0.0.1", false},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    CHECK(address_permitted(at(row.target), at(row.upstream)) == row.want);
  }
}

TEST_CASE("of a name that a proxy will resolve only the name can be judged") {
  struct Row {
    std::string why;
    const char* target;
    const char* upstream;
    bool want;
  };
  const std::vector<Row> rows = {
      {"a CDN", "cdn.io", "registry.io", true},
      {"one label", "metadata", "registry.io", false},
      {"a cloud's own", "metadata.google.internal", "registry.io", false},
      {"this machine", "localhost", "registry.io", false},
      {"this machine, below", "a.localhost", "registry.io", false},
      {"a printer", "printer.local", "registry.io", false},
      {"a router", "router.home.arpa", "registry.io", false},
      {"a name that only ends alike", "xlocal.io", "registry.io", true},
      {"a domain that ends alike", "a.notlocal", "registry.io", true},
      {"inside, from inside", "s3.corp", "registry.corp", true},
      {"outside, from inside", "cdn.io", "registry.corp", true},
      {"an address is judged as one", "10.0.0.1", "registry.io", true},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    CHECK(name_permitted(row.target, row.upstream) == row.want);
  }
  CHECK(kind_of(beyond_a_proxy()) == AddressKind::global);
}
