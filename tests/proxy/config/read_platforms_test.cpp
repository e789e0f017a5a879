#include "proxy/config/read.hpp"
#include "tests/proxy/config/reading.hpp"

#include <chrono>
#include <doctest/doctest.h>
#include <string>

namespace archway::proxy {
namespace {

using resolver::PlatformRules;
using resolver::VerdictPolicy;

TEST_CASE("platform rules that cannot be are reported") {
  const BadRow rows[] = {
      {"a header that is no token", "platforms: {header: \"My Header\"}\n",
       "1:21: platforms.header: found \"My Header\"; allowed: a header's name, such as "
       "Archway-Platform"},
      {"a header with a colon", "platforms: {header: \"X-Platform:\"}\n",
       "1:21: platforms.header: found \"X-Platform:\"; allowed: a header's name, such as "
       "Archway-Platform"},
      {"a header with a meaning of its own", "platforms: {header: accept}\n",
       "1:21: platforms.header: found \"accept\", which has a meaning of its own; allowed: a "
       "header's name, such as Archway-Platform"},
      {"a header that is too long",
       "platforms: {header: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}\n",
       "1:21: platforms.header: found "
       "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...\"; allowed: a header's "
       "name, such as Archway-Platform"},
      {"a network that is none", "platforms: {trust: [lan]}\n",
       "1:21: platforms.trust[0]: \"lan\" is not a network: write it like 10.20.0.0/16 or "
       "fd00::/8"},
      {"a network with bits behind the prefix", "platforms: {trust: [10.20.30.0/16]}\n",
       "1:21: platforms.trust[0]: \"10.20.30.0/16\" is not a network: bits behind the prefix are "
       "set; did you mean 10.20.0.0/16?"},
      {"a prefix that is too long", "platforms: {trust: [10.0.0.0/33]}\n",
       "1:21: platforms.trust[0]: \"10.0.0.0/33\" is not a network: a number from 0 to 32 stands "
       "behind the slash"},
      {"a text for networks", "platforms: {trust: 10.0.0.0/8}\n",
       "1:20: platforms.trust: found \"10.0.0.0/8\"; allowed: a list of networks such as "
       "[10.0.0.0/8]"},
      {"a host with a port", "platforms: {hosts: {\"arm64.lan:5000\": arm64}}\n",
       "1:21: platforms.hosts: found \"arm64.lan:5000\"; allowed: a host name without a port, such "
       "as arm64.mirror.lan"},
      {"a host for nothing", "platforms:\n  hosts:\n    arm64.lan:\n",
       "3:5: platforms.hosts.arm64.lan: found nothing; allowed: a platform such as linux/arm64"},
      {"a host for an unknown form", "platforms: {hosts: {arm64.lan: linux/arm/v7/x}}\n",
       "1:32: platforms.hosts.arm64.lan: \"linux/arm/v7/x\" is not a platform: it has more than "
       "three parts; write it like linux/arm64 or linux/arm/v7"},
      {"a host twice, in other letters",
       "platforms: {hosts: {arm64.lan: arm64, ARM64.lan: arm64}}\n",
       "1:39: platforms.hosts: found \"arm64.lan\" a second time"},
      {"a list for hosts", "platforms: {hosts: [arm64.lan]}\n",
       "1:20: platforms.hosts: found a list; allowed: a mapping such as {arm64.mirror.lan: "
       "linux/arm64}"},
      {"a client from nowhere", "platforms: {clients: [{platform: arm64}]}\n",
       "1:23: platforms.clients[0]: the key from is missing"},
      {"a client that is nothing", "platforms: {clients: [{from: 10.0.0.1}]}\n",
       "1:23: platforms.clients[0]: the key platform is missing"},
      {"a network twice",
       "platforms: {clients: [{from: 10.0.0.0/8, platform: arm64}, {from: 10.0.0.0/8, platform: "
       "amd64}]}\n",
       "1:67: platforms.clients[1].from: found 10.0.0.0/8 a second time"},
      {"a range with a dash",
       "platforms: {clients: [{from: 10.0.0.1-10.0.0.9, platform: arm64}]}\n",
       "1:30: platforms.clients[0].from: \"10.0.0.1-10.0.0.9\" is not a network: write it like "
       "10.20.0.0/16 or fd00::/8"},
      {"one emulated platform, not in a list",
       "platforms: {clients: [{from: 10.0.0.1, platform: arm64, emulates: linux/amd64}]}\n",
       "1:67: platforms.clients[0].emulates: found \"linux/amd64\"; allowed: a list of platforms "
       "such as [linux/amd64]"},
      {"an emulated platform that is none",
       "platforms: {clients: [{from: 10.0.0.1, platform: arm64, emulates: [x86/64/linux/1]}]}\n",
       "1:68: platforms.clients[0].emulates[0]: \"x86/64/linux/1\" is not a platform: it has more "
       "than three parts; write it like linux/arm64 or linux/arm/v7"},
      {"a system without a machine", "platforms: {default: windows}\n",
       "1:22: platforms.default: \"windows\" is not a platform: it names a system but no "
       "architecture; write it like linux/arm64 or linux/arm/v7"},
      {"a misspelt word", "platforms: {user_agent: hnit}\n",
       "1:25: platforms.user_agent: found \"hnit\"; allowed: hint, decide or ignore; did you mean "
       "hint?"},
      {"a later word", "platforms: {answer: filter}\n",
       "1:21: platforms.answer: filter is not supported by this version; allowed: resolve or pass"},
      {"no such answer", "platforms: {answer: reslove}\n",
       "1:21: platforms.answer: found \"reslove\"; allowed: resolve or pass; did you mean "
       "resolve?"},
      {"no such policy", "platforms: {missing: deny}\n",
       "1:22: platforms.missing: found \"deny\"; allowed: pass or refuse"},
      {"no such conflict", "platforms: {conflict: refuse}\n",
       "1:23: platforms.conflict: found \"refuse\"; allowed: pass or trust"},
      {"a later key: wrong", "platforms: {wrong: warn}\n",
       "1:13: platforms.wrong is not supported by this version"},
      {"a later key: certificates", "platforms: {certificates: {node: arm64}}\n",
       "1:13: platforms.certificates is not supported by this version"},
      {"a rule with a tag", "platforms: {rules: [{match: \"ghcr.io/a:latest\", answer: pass}]}\n",
       "1:29: platforms.rules[0].match: found \"ghcr.io/a:latest\"; this rule is about images, "
       "whatever their tag; leave the tag away"},
      {"a rule with a later word", "platforms: {rules: [{match: \"ghcr.io/*\", answer: filter}]}\n",
       "1:50: platforms.rules[0].answer: filter is not supported by this version; allowed: resolve "
       "or pass"},
      {"a rule without an answer", "platforms: {rules: [{match: \"ghcr.io/*\"}]}\n",
       "1:21: platforms.rules[0]: the key answer is missing"},
      {"a rule that says nothing", "platforms: {rules: [{}]}\n",
       "1:21: platforms.rules[0]: the key match is missing\n1:21: platforms.rules[0]: the key "
       "answer is missing"},
  };
  check_refused(rows);
}

TEST_CASE("platform rules are read") {
  const Settings settings = settings_of(
      "platforms:\n"
      "  header: X-Arch\n"
      "  trust: [10.0.0.0/8, \"::1\"]\n"
      "  hosts: {ARM64.lan: linux/arm64, arm.lan: arm/v6}\n"
      "  clients:\n"
      "    - {from: 10.20.0.0/16, platform: aarch64}\n"
      "    - {from: 10.30.0.7, platform: arm/v7, emulates: [linux/amd64, 386]}\n"
      "  user_agent: decide\n"
      "  default: none\n"
      "  answer: pass\n"
      "  missing: refuse\n"
      "  conflict: trust\n"
      "  rules: [{match: \"ghcr.io/signed/*\", answer: pass}, {match: \"*\", answer: resolve}]\n");
  const auto& rules = settings.platforms;
  CHECK(rules.header == "X-Arch");
  REQUIRE(rules.trust.size() == 2);
  CHECK(rules.trust[0].str() == "10.0.0.0/8");
  CHECK(rules.hosts.at("arm64.lan").str() == "linux/arm64");
  CHECK(rules.hosts.at("arm.lan").str() == "linux/arm/v6");
  REQUIRE(rules.clients.size() == 2);
  CHECK(rules.clients[0].platform.str() == "linux/arm64");
  REQUIRE(rules.clients[1].emulates.size() == 2);
  CHECK(rules.clients[1].emulates[1].str() == "linux/386");
  CHECK(rules.user_agent == PlatformRules::UserAgent::decide);
  CHECK_FALSE(rules.fallback.has_value());
  CHECK(rules.conflict == PlatformRules::Conflict::trust);
  CHECK(settings.policy.answer == VerdictPolicy::Answer::pass);
  CHECK(settings.policy.missing == VerdictPolicy::Missing::refuse);
  REQUIRE(settings.policy_rules.size() == 2);
  CHECK(settings.policy_rules[0].match == "ghcr.io/signed/*");
  CHECK(settings.policy_rules[1].answer == VerdictPolicy::Answer::resolve);
}

TEST_CASE("a platform that nobody knows is worth a warning, not a refusal") {
  const ReadOutcome outcome = outcome_of("platforms: {hosts: {a.lan: linx/arm64}}");
  CHECK(outcome.settings.has_value());
  REQUIRE(outcome.warnings.size() == 1);
  CHECK(outcome.warnings[0] ==
        "archway.yaml:1:28: platforms.hosts.a.lan: linx/arm64 is not a known platform; is it "
        "misspelt?");
  CHECK(outcome_of("platforms: {default: windows(10.0.20348)/amd64}").warnings.empty());
}

}  // namespace
}  // namespace archway::proxy
