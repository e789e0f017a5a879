#include "proxy/config/read.hpp"
#include "tests/proxy/config/reading.hpp"

#include <chrono>
#include <doctest/doctest.h>
#include <string>
#include <vector>

namespace archway::proxy {
namespace {

using namespace std::chrono_literals;
using Access = Settings::Access;
using Texts = std::vector<std::string>;

TEST_CASE("access that cannot be is reported") {
  const BadRow rows[] = {
      {"no such word", "upstreams:\n  - {name: a.lan, access: clients}\n",
       "2:27: upstreams[0].access: found \"clients\"; allowed: shared or client; did you mean "
       "client?"},
      {"never rechecked", "upstreams:\n  - {name: a.lan, access: client, recheck: 0}\n",
       "2:44: upstreams[0].recheck: found \"0\"; allowed: 1s to 1d"},
      {"a rule without a word", "access: {rules: [{match: \"ghcr.io/*\"}]}\n",
       "1:18: access.rules[0]: the key access is missing"},
      {"a rule for a tag", "access: {rules: [{match: \"ghcr.io/a:1\", access: client}]}\n",
       "1:26: access.rules[0].match: found \"ghcr.io/a:1\"; this rule is about images, whatever "
       "their tag; leave the tag away"},
      {"a text for a list", "access: {allow: ghcr.io/a}\n",
       "1:17: access.allow: found \"ghcr.io/a\"; allowed: a list of patterns such as "
       "[ghcr.io/acme/*]"},
      {"a tag in a list", "access: {deny: [\"ghcr.io/a:1\"]}\n",
       "1:17: access.deny[0]: found \"ghcr.io/a:1\"; this rule is about images, whatever their "
       "tag; leave the tag away"},
      {"nobody's listener", "listen: [{address: \"127.0.0.1:1\", access: {from: []}}]\n",
       "1:50: listen[0].access.from: found an empty list, by which nobody would be served; leave "
       "the key out"},
      {"no network", "listen: [{address: \"127.0.0.1:1\", access: {from: [10.0.0.1/8]}}]\n",
       "1:51: listen[0].access.from[0]: \"10.0.0.1/8\" is not a network: bits behind the prefix "
       "are "
       "set; did you mean 10.0.0.0/8?"},
      {"no certificates to require",
       "listen: [{address: \"127.0.0.1:1\", access: {certificates: required}}]\n",
       "1:58: listen[0].access.certificates: found without tls.client_ca, which says whose "
       "certificates count"},
      {"no such file", "listen: [{address: \"127.0.0.1:1\", access: {htpasswd: /nowhere}}]\n",
       "1:54: listen[0].access.htpasswd: the file /nowhere does not exist"},
      {"a certificate in the client's place",
       "upstreams:\n  - {name: a.lan, access: client, client_certificate: {certificate: /dev/null, "
       "key: /dev/null}}\n",
       "2:27: upstreams[0].access: the registry would judge archway's own client_certificate, not "
       "the client; allowed beside one: shared"},
      {"the same by a rule",
       "access: {rules: [{match: \"a.lan/*\", access: client}]}\n"
       "upstreams:\n  - {name: a.lan, access: shared, client_certificate: {certificate: /dev/null, "
       "key: /dev/null}}\n",
       "1:18: access.rules[0]: the registry of a.lan would judge archway's own client_certificate, "
       "not the client"},
      {"an unknown key", "access: {forbid: []}\n",
       "1:10: found the unknown key \"forbid\" in access; allowed: allow, deny or rules"},
  };
  check_refused(rows);
}

TEST_CASE("credentials are for everybody, or nobody's but the client's: one has to be said") {
  const BadRow rows[] = {
      {"neither", "upstreams:\n  - {name: a.lan, credentials: {username: me, password: s3cret}}\n",
       "2:32: upstreams[0].credentials: everybody who can reach archway could pull what this "
       "account can; say beside it which is meant, access: shared (they may) or access: client "
       "(each needs credentials of their own)"},
  };
  check_refused(rows);
  const std::string upstream = "upstreams: [{name: a.lan, credentials: {username: me, password: x}";
  CHECK(outcome_of(upstream + ", access: shared}]").warnings.empty());
  CHECK(outcome_of(upstream + ", access: client}]").warnings.empty());
}

TEST_CASE("a certificate of archway's own is for everybody only where that is said") {
  const BadRow rows[] = {
      {"not said",
       "upstreams:\n  - {name: a.lan, client_certificate: {certificate: /dev/null, key: "
       "/dev/null}}\n",
       "2:39: upstreams[0].client_certificate: everybody who can reach archway could pull what "
       "this certificate opens; say beside it that this is meant, access: shared"},
  };
  check_refused(rows);
  CHECK(outcome_of("upstreams:\n  - {name: a.lan, access: shared, client_certificate: "
                   "{certificate: /dev/null, key: /dev/null}}\n")
            .warnings.empty());
}

TEST_CASE("a listener's access is read, and a file of names looked into") {
  const TempFolder folder;
  const std::string letters(53, 'a');
  const auto listen = [&](const std::string& file) {
    return "listen: [{address: \"127.0.0.1:1\", access: {from: [10.0.0.0/8], htpasswd: " + file +
           "}}]";
  };
  const auto good = folder.write("good", "alice:$2y$10$" + letters + "\n");
  const auto settings = settings_of(listen(good));
  REQUIRE(settings.listen[0].access.has_value());
  CHECK(settings.listen[0].access->from.size() == 1);
  CHECK(settings.listen[0].access->htpasswd == good);
  CHECK_FALSE(settings.listen[0].access->certificates);
  const auto bad = outcome_of(listen(folder.write("bad", "alice:canary\n")));
  REQUIRE(bad.problems.size() == 1);
  CHECK(bad.problems[0].message.find("line 1: the password is not hashed with bcrypt") !=
        std::string::npos);
  CHECK(bad.problems[0].message.find("canary") == std::string::npos);
}

TEST_CASE("access is read") {
  const auto settings = settings_of(
      "upstreams: [{name: ghcr.io, access: client, recheck: 5m}, {name: quay.io}]\n"
      "access:\n"
      "  allow: [ghcr.io/acme/*]\n  deny: [\"*/old\"]\n"
      "  rules: [{match: ghcr.io/acme/open, access: shared}]\n");
  CHECK(settings.upstreams[0].access == Access::client);
  CHECK(settings.upstreams[0].recheck == 5min);
  CHECK_FALSE(settings.upstreams[1].access.has_value());
  CHECK(settings.upstreams[1].recheck == 15min);
  CHECK(settings.access.allow == Texts{"ghcr.io/acme/*"});
  CHECK(settings.access.deny == Texts{"*/old"});
  REQUIRE(settings.access.rules.size() == 1);
  CHECK(settings.access.rules[0].match == "ghcr.io/acme/open");
  CHECK(settings.access.rules[0].access == Access::shared);
}

}  // namespace
}  // namespace archway::proxy
