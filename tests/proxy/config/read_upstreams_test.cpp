#include "proxy/config/read.hpp"
#include "tests/proxy/config/reading.hpp"

#include <chrono>
#include <doctest/doctest.h>
#include <string>

namespace archway::proxy {
namespace {

TEST_CASE("upstreams that cannot be are reported") {
  const BadRow rows[] = {
      {"too many requests", "upstreams: [{name: a.lan, requests: 10001}]\n",
       "1:37: upstreams[0].requests: found \"10001\"; allowed: a whole number from 0 to 10000"},
      {"a trickle", "upstreams: [{name: a.lan, bandwidth: 1KiB}]\n",
       "1:38: upstreams[0].bandwidth: found \"1KiB\"; allowed: 16KiB to 1TiB"},
      {"no upstream at all", "upstreams: []\n",
       "1:12: upstreams: found an empty list; allowed: at least one upstream, or leave the key "
       "out"},
      {"nothing", "upstreams:\n",
       "1:1: upstreams: found nothing; allowed: a list such as [{name: docker.io, default: true}]"},
      {"a mapping", "upstreams: {docker.io: {}}\n",
       "1:12: upstreams: found a mapping; allowed: a list such as [{name: docker.io, default: "
       "true}]"},
      {"texts", "upstreams: [docker.io]\n",
       "1:13: upstreams[0]: found \"docker.io\"; allowed: a mapping of name, url, urls, default, "
       "credentials, ca_file, client_certificate, server_name, proxy, redirects, hosts, "
       "token_realms, access, recheck, requests, bandwidth or tags"},
      {"no name", "upstreams:\n  - {url: \"https://a.lan\"}\n",
       "2:5: upstreams[0]: the key name is missing"},
      {"a URL for a name", "upstreams:\n  - {name: \"https://Registry.lan:5000/v2\"}\n",
       "2:12: upstreams[0].name: found \"https://Registry.lan:5000/v2\"; allowed: a registry's "
       "name as it stands in image names, such as ghcr.io or registry.lan:5000; did you mean "
       "registry.lan:5000?"},
      {"capitals in a name", "upstreams:\n  - {name: Docker.io}\n",
       "2:12: upstreams[0].name: found \"Docker.io\"; allowed: a registry's name as it stands in "
       "image names, such as ghcr.io or registry.lan:5000; did you mean docker.io?"},
      {"a repository in a name", "upstreams:\n  - {name: docker.io/library}\n",
       "2:12: upstreams[0].name: found \"docker.io/library\"; allowed: a registry's name as it "
       "stands in image names, such as ghcr.io or registry.lan:5000; did you mean docker.io?"},
      {"a blank in a name", "upstreams:\n  - {name: docker io}\n",
       "2:12: upstreams[0].name: found \"docker io\"; allowed: a registry's name as it stands in "
       "image names, such as ghcr.io or registry.lan:5000"},
      {"a port that is none", "upstreams:\n  - {name: \"a.lan:99999\"}\n",
       "2:12: upstreams[0].name: found \"a.lan:99999\"; allowed: a registry's name as it stands in "
       "image names, such as ghcr.io or registry.lan:5000"},
      {"a name twice",
       "upstreams:\n  - {name: docker.io}\n  - {name: ghcr.io}\n  - {name: docker.io}\n",
       "4:12: upstreams[2].name: found an upstream of this name already; the first is on line 2"},
      {"two defaults",
       "upstreams:\n  - {name: docker.io, default: true}\n  - {name: ghcr.io, default: true}\n",
       "3:30: upstreams[1].default: found a second default upstream; the first is on line 2"},
      {"a URL without a scheme", "upstreams:\n  - {name: a.lan, url: a.lan}\n",
       "2:24: upstreams[0].url: not a URL that archway can use: it does not start with http:// or "
       "https://"},
      {"a URL of another scheme", "upstreams:\n  - {name: a.lan, url: \"ftp://a.lan\"}\n",
       "2:24: upstreams[0].url: not a URL that archway can use: it does not start with http:// or "
       "https://"},
      {"a password in a URL is not repeated",
       "upstreams:\n  - {name: a.lan, url: \"https://me:secret@a.lan\"}\n",
       "2:24: upstreams[0].url: not a URL that archway can use: a user name and password have no "
       "place in it"},
      {"a path in a URL", "upstreams:\n  - {name: a.lan, url: \"https://a.lan/v2/\"}\n",
       "2:24: upstreams[0].url: a registry's URL has no path here; did you mean https://a.lan?"},
      {"a query in a URL", "upstreams:\n  - {name: a.lan, url: \"https://a.lan/?ns=x\"}\n",
       "2:24: upstreams[0].url: a registry's URL has no path here; did you mean https://a.lan?"},
      {"a port of zero", "upstreams:\n  - {name: a.lan, url: \"https://a.lan:0\"}\n",
       "2:24: upstreams[0].url: not a URL that archway can use: its port is not a number from 1 to "
       "65535"},
      {"a URL twice",
       "upstreams:\n  - {name: a.lan, urls: [\"https://a.lan\", \"https://A.lan:443/\"]}\n",
       "2:43: upstreams[0].urls[1]: found a URL that is in the list already; the first is on line "
       "2"},
      {"a URL with a path among several",
       "upstreams:\n  - {name: a.lan, urls: [\"https://a.lan\", \"https://b.lan/v2\"]}\n",
       "2:43: upstreams[0].urls[1]: a registry's URL has no path here; did you mean "
       "https://b.lan?"},
      {"no URL", "upstreams:\n  - {name: a.lan, urls: []}\n",
       "2:25: upstreams[0].urls: found an empty list; allowed: at least one URL"},
      {"url and urls",
       "upstreams:\n  - {name: a.lan, url: \"https://a.lan\", urls: [\"https://a.lan\"]}\n",
       "2:47: upstreams[0].urls: found beside url; allowed: one of the two"},
      {"a text for urls", "upstreams:\n  - {name: a.lan, urls: \"https://a.lan\"}\n",
       "2:25: upstreams[0].urls: found \"https://a.lan\"; allowed: a list such as "
       "[https://registry.lan]"},
      {"a CA file that is not there", "upstreams:\n  - {name: a.lan, ca_file: /nowhere/ca.crt}\n",
       "2:28: upstreams[0].ca_file: the file /nowhere/ca.crt does not exist"},
      {"a host with a port", "upstreams:\n  - {name: a.lan, hosts: [\"hub.mirror.lan:5000\"]}\n",
       "2:27: upstreams[0].hosts[0]: found \"hub.mirror.lan:5000\"; allowed: a host name without a "
       "port, such as arm64.mirror.lan"},
      {"a host as a URL", "upstreams:\n  - {name: a.lan, hosts: [\"http://hub.mirror.lan\"]}\n",
       "2:27: upstreams[0].hosts[0]: found \"http://hub.mirror.lan\"; allowed: a host name without "
       "a port, such as arm64.mirror.lan"},
      {"a host for two upstreams",
       "upstreams:\n  - {name: a.lan, hosts: [hub.lan]}\n  - {name: b.lan, hosts: [HUB.lan]}\n",
       "3:27: upstreams[1].hosts[0]: found a host name that means an upstream already; the first "
       "is on line 2"},
      {"a text for hosts", "upstreams:\n  - {name: a.lan, hosts: hub.lan}\n",
       "2:26: upstreams[0].hosts: found \"hub.lan\"; allowed: a list of host names"},
      {"a token realm as a URL",
       "upstreams:\n  - {name: a.lan, token_realms: [\"https://auth.lan/token\"]}\n",
       "2:34: upstreams[0].token_realms[0]: found \"https://auth.lan/token\"; allowed: a host "
       "without https:// and path, such as auth.registry.lan"},
      {"an unknown key", "upstreams:\n  - {name: a.lan, insecure: true}\n",
       "2:19: found the unknown key \"insecure\" in upstreams[0]; allowed: name, url, urls, "
       "default, credentials, ca_file, client_certificate, server_name, proxy, redirects, hosts, "
       "token_realms, access, recheck, requests, bandwidth or tags"},
  };
  check_refused(rows);
}

TEST_CASE("an upstream without a usable name is not offered in other messages") {
  const BadRow rows[] = {
      {"an image of an upstream that is not there",
       "upstreams: [{name: Ghcr.io}, {name: quay.io}]\nimages: {a.lan/b: {arm64: quay.io/b}}\n",
       "1:20: upstreams[0].name: found \"Ghcr.io\"; allowed: a registry's name as it stands in "
       "image names, such as ghcr.io or registry.lan:5000; did you mean ghcr.io?\n2:10: images: "
       "the "
       "registry \"a.lan\" is not configured as an upstream of this archway; it has quay.io"},
  };
  check_refused(rows);
}

TEST_CASE("upstreams are read, and replace the default ones") {
  const Settings settings = settings_of(
      "upstreams:\n"
      "  - {name: docker.io, default: true}\n"
      "  - {name: ghcr.io, url: \"http://10.0.0.5:5000/\", hosts: [GHCR.lan], token_realms: "
      "[A.lan]}\n"
      "  - {name: \"registry.lan:5000\"}\n"
      "  - {name: quay.io, urls: [\"https://quay.example\", \"http://10.0.0.6:5000\", "
      "\"https://quay.io\"]}\n");
  REQUIRE(settings.upstreams.size() == 4);
  CHECK(settings.upstreams[0].url.str() == "https://registry-1.docker.io/");
  CHECK(settings.upstreams[0].is_default);
  CHECK(settings.upstreams[0].token_realms == std::vector<std::string>{"auth.docker.io"});
  CHECK(settings.upstreams[1].url.str() == "http://10.0.0.5:5000/");
  CHECK(settings.upstreams[1].hosts == std::vector<std::string>{"ghcr.lan"});
  CHECK(settings.upstreams[1].token_realms == std::vector<std::string>{"a.lan"});
  CHECK_FALSE(settings.upstreams[1].is_default);
  CHECK(settings.upstreams[2].url.str() == "https://registry.lan:5000/");
  CHECK(settings.upstreams[3].url.str() == "https://quay.example/");
  REQUIRE(settings.upstreams[3].further_urls.size() == 2);
  CHECK(settings.upstreams[3].further_urls[0].str() == "http://10.0.0.6:5000/");
  CHECK(settings.upstreams[3].further_urls[1].str() == "https://quay.io/");
}

TEST_CASE("how much an upstream may be asked is read") {
  const auto settings = settings_of(
      "upstreams:\n  - {name: a.lan, requests: 8, bandwidth: 4MiB}\n  - {name: b.lan}\n");
  CHECK(settings.upstreams[0].requests == 8);
  CHECK(settings.upstreams[0].bandwidth == 4 * 1024 * 1024);
  CHECK(settings.upstreams[1].requests == 0);
  CHECK(settings.upstreams[1].bandwidth == 0);
}

TEST_CASE("token realms that are listed replace Docker Hub's own") {
  const Settings settings = settings_of("upstreams: [{name: docker.io, token_realms: []}]");
  CHECK(settings.upstreams[0].token_realms.empty());
}

TEST_CASE("upstreams without a default leave names without a host unknown") {
  const Settings settings = settings_of("upstreams: [{name: docker.io}]");
  CHECK(upstream_names(settings).default_name.empty());
}

TEST_CASE("a password that would leave the operator's network unencrypted is worth a warning") {
  struct Row {
    const char* why;
    const char* url;
    bool want;
  };
  const Row rows[] = {
      {"encrypted", "https://registry.example", false},
      {"a name that can be anywhere", "http://registry.example", true},
      {"a public address", "http://8.8.8.8:5000", true},
      {"a public IPv6 address", "http://[2001:db8::1]:5000", true},
      {"loopback", "http://127.0.0.1:5000", false},
      {"loopback by name", "http://localhost:5000", false},
      {"a private network", "http://10.1.2.3:5000", false},
      {"just outside a private network", "http://172.32.0.1", true},
      {"a unique local address", "http://[fd00::1]:5000", false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.why);
    const ReadOutcome outcome =
        outcome_of("upstreams: [{name: a.lan, url: \"" + std::string(row.url) +
                   "\", access: shared, credentials: {username: me, password_env: SECRET}}]");
    REQUIRE(outcome.settings.has_value());
    REQUIRE(outcome.warnings.size() == (row.want ? 1 : 0));
    CHECK((row.want && outcome.warnings[0].find("unencrypted") != std::string::npos) == row.want);
    for (const std::string& warning : outcome.warnings) {
      CHECK(warning.find("s3cret") == std::string::npos);
    }
  }
}

}  // namespace
}  // namespace archway::proxy
