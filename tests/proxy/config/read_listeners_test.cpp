#include "proxy/config/read.hpp"
#include "tests/proxy/config/reading.hpp"

#include <chrono>
#include <doctest/doctest.h>
#include <string>

namespace archway::proxy {
namespace {

TEST_CASE("listeners that cannot be are reported") {
  const BadRow rows[] = {
      {"no address", "listen: [{platform: arm64}]\n",
       "1:10: listen[0]: the key address is missing"},
      {"an entry of nothing", "listen: [~]\n", "1:10: listen[0]: the key address is missing"},
      {"a port alone", "listen: [{address: 5000}]\n",
       "1:20: listen[0].address: found \"5000\"; allowed: an IP address and a port, such as "
       "0.0.0.0:5000 or [::]:5000; did you mean 0.0.0.0:5000?"},
      {"a port with a colon", "listen: [{address: \":5000\"}]\n",
       "1:20: listen[0].address: found \":5000\"; allowed: an IP address and a port, such as "
       "0.0.0.0:5000 or [::]:5000; did you mean 0.0.0.0:5000?"},
      {"an address alone", "listen: [{address: 127.0.0.1}]\n",
       "1:20: listen[0].address: found \"127.0.0.1\"; allowed: an IP address and a port, such as "
       "0.0.0.0:5000 or [::]:5000; the port is missing"},
      {"a name", "listen: [{address: localhost:5000}]\n",
       "1:20: listen[0].address: found \"localhost:5000\"; allowed: an IP address and a port, such "
       "as 0.0.0.0:5000 or [::]:5000; did you mean 127.0.0.1:5000?"},
      {"another name", "listen: [{address: mirror.lan:5000}]\n",
       "1:20: listen[0].address: found \"mirror.lan:5000\"; allowed: an IP address and a port, "
       "such as 0.0.0.0:5000 or [::]:5000; names are not looked up here"},
      {"a star", "listen: [{address: \"*:5000\"}]\n",
       "1:20: listen[0].address: found \"*:5000\"; allowed: an IP address and a port, such as "
       "0.0.0.0:5000 or [::]:5000; did you mean 0.0.0.0:5000?"},
      {"IPv6 without brackets", "listen: [{address: \"::1:5000\"}]\n",
       "1:20: listen[0].address: found \"::1:5000\"; allowed: an IP address and a port, such as "
       "0.0.0.0:5000 or [::]:5000; an IPv6 address stands in brackets"},
      {"IPv4 in brackets", "listen: [{address: \"[127.0.0.1]:5000\"}]\n",
       "1:20: listen[0].address: found \"[127.0.0.1]:5000\"; allowed: an IP address and a port, "
       "such as 0.0.0.0:5000 or [::]:5000; only an IPv6 address stands in brackets"},
      {"no port behind the brackets", "listen: [{address: \"[::1]\"}]\n",
       "1:20: listen[0].address: found \"[::1]\"; allowed: an IP address and a port, such as "
       "0.0.0.0:5000 or [::]:5000; the port is missing"},
      {"a port too large", "listen: [{address: 0.0.0.0:65536}]\n",
       "1:20: listen[0].address: found \"0.0.0.0:65536\"; allowed: an IP address and a port, such "
       "as 0.0.0.0:5000 or [::]:5000; a port is a number from 0 to 65535"},
      {"an octal port", "listen: [{address: 0.0.0.0:05000}]\n",
       "1:20: listen[0].address: found \"0.0.0.0:05000\"; allowed: an IP address and a port, such "
       "as 0.0.0.0:5000 or [::]:5000; a port is a number from 0 to 65535"},
      {"a port that is a word", "listen: [{address: 0.0.0.0:http}]\n",
       "1:20: listen[0].address: found \"0.0.0.0:http\"; allowed: an IP address and a port, such "
       "as 0.0.0.0:5000 or [::]:5000; a port is a number from 0 to 65535"},
      {"an empty port", "listen: [{address: \"0.0.0.0:\"}]\n",
       "1:20: listen[0].address: found \"0.0.0.0:\"; allowed: an IP address and a port, such as "
       "0.0.0.0:5000 or [::]:5000; a port is a number from 0 to 65535"},
      {"an address out of range", "listen: [{address: 0.0.0.256:5000}]\n",
       "1:20: listen[0].address: found \"0.0.0.256:5000\"; allowed: an IP address and a port, such "
       "as 0.0.0.0:5000 or [::]:5000"},
      {"a socket file", "listen: [{address: \"unix:/run/a.sock\"}]\n",
       "1:20: listen[0].address: found \"unix:/run/a.sock\"; allowed: an IP address and a port, "
       "such as 0.0.0.0:5000 or [::]:5000; a socket file is for admin only"},
      {"an address twice", "listen:\n  - address: 0.0.0.0:5000\n  - address: 0.0.0.0:5000\n",
       "3:14: listen[1].address: found 0.0.0.0:5000, which listen[0].address on line 2 has "
       "already"},
      {"an address twice, written differently",
       "listen:\n  - address: \"[::1]:5000\"\n  - address: \"[0:0::1]:5000\"\n",
       "3:14: listen[1].address: found [::1]:5000, which listen[0].address on line 2 has already"},
      {"no listener at all", "listen: []\n",
       "1:9: listen: found an empty list; allowed: at least one address, or leave the key out"},
      {"an entry that is a text", "listen: [0.0.0.0:5000]\n",
       "1:10: listen[0]: found \"0.0.0.0:5000\"; allowed: a mapping of address, tls, access or "
       "platform"},
      {"tls of nothing", "listen: [{address: 0.0.0.0:5000, tls: }]\n",
       "1:34: listen[0].tls: the key certificate is missing\n1:34: listen[0].tls: the key key is "
       "missing"},
      {"a certificate without a key",
       "listen: [{address: 0.0.0.0:5443, tls: {certificate: /dev/null}}]\n",
       "1:39: listen[0].tls: the key key is missing"},
      {"a key without a certificate", "listen: [{address: 0.0.0.0:5443, tls: {key: /dev/null}}]\n",
       "1:39: listen[0].tls: the key certificate is missing"},
      {"tls without files", "listen:\n  - address: 0.0.0.0:5443\n    tls: {}\n",
       "3:10: listen[0].tls: the key certificate is missing\n3:10: listen[0].tls: the key key is "
       "missing"},
      {"tls as a boolean", "listen: [{address: 0.0.0.0:5443, tls: true}]\n",
       "1:39: listen[0].tls: found \"true\"; allowed: a mapping of certificate, key, client_ca or "
       "clients"},
      {"files that are not there",
       "listen: [{address: 0.0.0.0:5443, tls: {certificate: /nowhere/a.crt, key: "
       "/nowhere/a.key}}]\n",
       "1:53: listen[0].tls.certificate: the file /nowhere/a.crt does not exist\n1:74: "
       "listen[0].tls.key: the file /nowhere/a.key does not exist"},
      {"a folder for a file",
       "listen: [{address: 0.0.0.0:5443, tls: {certificate: /, key: /dev/null}}]\n",
       "1:53: listen[0].tls.certificate: the file / is a folder"},
      {"a client CA that is not there",
       "listen: [{address: 0.0.0.0:5443, tls: {certificate: /dev/null, key: /dev/null, client_ca: "
       "/nowhere/ca.crt}}]\n",
       "1:91: listen[0].tls.client_ca: the file /nowhere/ca.crt does not exist"},
      {"a home for a client CA",
       "listen: [{address: 0.0.0.0:5443, tls: {certificate: /dev/null, key: /dev/null, client_ca: "
       "~/ca.crt}}]\n",
       "1:91: listen[0].tls.client_ca: found \"~/ca.crt\"; allowed: a path; ~ is not your home "
       "here, write it out"},
      {"clients without a CA",
       "listen: [{address: 0.0.0.0:5443, tls: {certificate: /dev/null, key: /dev/null, clients: "
       "require}}]\n",
       "1:89: listen[0].tls.clients: found without client_ca, which says whose certificates count"},
      {"a word for clients that is none",
       "listen: [{address: 0.0.0.0:5443, tls: {certificate: /dev/null, key: /dev/null, client_ca: "
       "/dev/null, clients: requir}}]\n",
       "1:111: listen[0].tls.clients: found \"requir\"; allowed: ask or require; did you mean "
       "require?"},
      {"a client CA alone", "listen: [{address: 0.0.0.0:5443, tls: {client_ca: /dev/null}}]\n",
       "1:39: listen[0].tls: the key certificate is missing\n1:39: listen[0].tls: the key key is "
       "missing"},
      {"a platform that is none", "listen: [{address: 0.0.0.0:5007, platform: linux}]\n",
       "1:44: listen[0].platform: \"linux\" is not a platform: it names a system but no "
       "architecture; write it like linux/arm64 or linux/arm/v7"},
      {"admin on a listener's address", "listen: [{address: 0.0.0.0:5000}]\nadmin: 0.0.0.0:5000\n",
       "2:8: admin: found 0.0.0.0:5000, where clients are served (0.0.0.0:5000)"},
      {"admin within a listener's wildcard", "admin: 127.0.0.1:5000\n",
       "1:8: admin: found 127.0.0.1:5000, where clients are served (0.0.0.0:5000)"},
      {"a listener on admin's default", "listen: [{address: 127.0.0.1:5001}]\n",
       "1:20: listen[0].address: found 127.0.0.1:5001, where admin is unless it is set "
       "(127.0.0.1:5001)"},
      {"a listener's wildcard over admin's default", "listen: [{address: 0.0.0.0:5001}]\n",
       "1:20: listen[0].address: found 0.0.0.0:5001, where admin is unless it is set "
       "(127.0.0.1:5001)"},
      {"admin as a bare port", "admin: 5001\n",
       "1:8: admin: found \"5001\"; allowed: 127.0.0.1:5001, [::1]:5001, unix:/path or none; did "
       "you mean 127.0.0.1:5001?"},
      {"admin on a relative socket", "admin: unix:run/a.sock\n",
       "1:8: admin: found \"unix:run/a.sock\"; allowed: 127.0.0.1:5001, [::1]:5001, unix:/path or "
       "none; the path begins with /"},
      {"admin on a socket with too long a name",
       "admin: "
       "unix:/"
       "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
       "aaaaaaaaaaaaaaaa\n",
       "1:8: admin: found \"unix:/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...\"; "
       "allowed: 127.0.0.1:5001, [::1]:5001, unix:/path or none; a socket's path has at most 107 "
       "bytes"},
      {"admin off, in another word", "admin: off\n",
       "1:8: admin: found \"off\"; allowed: 127.0.0.1:5001, [::1]:5001, unix:/path or none; did "
       "you mean none?"},
      {"admin that is a mapping", "admin: {address: 127.0.0.1:5001}\n",
       "1:8: admin: found a mapping; allowed: 127.0.0.1:5001, unix:/path or none"},
  };
  check_refused(rows);
}

TEST_CASE("listeners are read with their platforms and certificates") {
  const TempFolder folder;
  const std::string certificate = folder.write("a.crt", "PEM");
  const std::string key = folder.write("a.key", "PEM");
  const Settings settings = settings_of(
      "listen:\n  - address: 0.0.0.0:5000\n  - address: \"[::]:5443\"\n    tls: "
      "{certificate: " +
      certificate + ", key: " + key + "}\n  - {address: 127.0.0.1:5007, platform: armhf}\n");
  REQUIRE(settings.listen.size() == 3);
  CHECK(settings.listen[0].endpoint.str() == "0.0.0.0:5000");
  CHECK_FALSE(settings.listen[0].tls.has_value());
  CHECK(settings.listen[1].endpoint.str() == "[::]:5443");
  REQUIRE(settings.listen[1].tls.has_value());
  CHECK(settings.listen[1].tls->certificate == certificate);
  CHECK(settings.listen[1].tls->key == key);
  REQUIRE(settings.listen[2].platform.has_value());
  CHECK(settings.listen[2].platform->str() == "linux/arm/v7");
}

TEST_CASE("clients are asked for certificates, or turned away without one") {
  struct Row {
    const char* why;
    std::string tls;
    std::string want_ca;
    bool want_required;
  };
  const TempFolder folder;
  const std::string pem = folder.write("a.pem", "PEM");
  const Row rows[] = {
      {"nothing said", "", "", false},
      {"a CA alone asks", ", client_ca: " + pem, pem, false},
      {"asked", ", client_ca: " + pem + ", clients: ask", pem, false},
      {"required", ", client_ca: " + pem + ", clients: require", pem, true},
      {"a path is put straight", ", client_ca: " + pem + "/../a.pem", pem, false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.why);
    const Settings settings =
        settings_of("listen: [{address: 0.0.0.0:5443, tls: {certificate: " + pem + ", key: " + pem +
                    row.tls + "}}]");
    REQUIRE(settings.listen.size() == 1);
    REQUIRE(settings.listen[0].tls.has_value());
    CHECK(settings.listen[0].tls->client_ca == row.want_ca);
    CHECK(settings.listen[0].tls->client_required == row.want_required);
  }
}

TEST_CASE("a key that everybody can read is worth a warning") {
  const TempFolder folder;
  const std::string certificate = folder.write("a.crt", "PEM", 0644);
  const std::string key = folder.write("a.key", "PEM", 0644);
  const ReadOutcome outcome =
      outcome_of("listen: [{address: 0.0.0.0:5443, tls: {certificate: " + certificate +
                 ", key: " + key + "}}]");
  CHECK(outcome.settings.has_value());
  REQUIRE(outcome.warnings.size() == 1);
  CHECK(outcome.warnings[0].find("listen[0].tls.key: everybody on this machine can read " + key) !=
        std::string::npos);
}

TEST_CASE("admin listens elsewhere, on a socket, or not at all") {
  CHECK(settings_of("admin: \"[::1]:9000\"").admin->str() == "[::1]:9000");
  CHECK(settings_of("admin: unix:/run/archway/admin.sock").admin->str() ==
        "unix:/run/archway/admin.sock");
  CHECK_FALSE(settings_of("admin: none\nlisten: [{address: 127.0.0.1:5001}]").admin.has_value());
}

TEST_CASE("what only looks like a conflict is none") {
  const char* fine[] = {
      "listen: [{address: 127.0.0.1:0}, {address: 127.0.0.1:0}]",
      "listen: [{address: 0.0.0.0:5000}, {address: \"[::]:5000\"}]",
      "listen: [{address: 0.0.0.0:5000}, {address: 127.0.0.1:5000}]",
      "listen: [{address: \"[::]:5001\"}]",
      "listen: [{address: 127.0.0.2:5001}]",
  };
  for (const char* text : fine) {
    CAPTURE(text);
    CHECK(outcome_of(text).settings.has_value());
  }
}

}  // namespace
}  // namespace archway::proxy
