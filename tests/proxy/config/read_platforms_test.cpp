#include "proxy/config/read.hpp"
#include "tests/proxy/config/reading.hpp"

#include <chrono>
#include <doctest/doctest.h>
#include <string>

namespace archway::proxy {
namespace {

using resolver::PlatformRules;

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
      {"no such conflict", "platforms: {conflict: refuse}\n",
       "1:23: platforms.conflict: found \"refuse\"; allowed: pass or trust"},
      {"a list for certificates", "platforms: {certificates: [pi-07]}\n",
       "1:27: platforms.certificates: found a list; allowed: a mapping such as {pi-07: "
       "linux/arm64}"},
      {"a certificate that means nothing", "platforms: {certificates: {pi-07: }}\n",
       "1:28: platforms.certificates.pi-07: found nothing; allowed: a platform such as "
       "linux/arm64"},
      {"a certificate for no platform", "platforms: {certificates: {pi-07: windows}}\n",
       "1:35: platforms.certificates.pi-07: \"windows\" is not a platform: it names a system but "
       "no architecture; write it like linux/arm64 or linux/arm/v7"},
      {"a certificate twice", "platforms: {certificates: {pi-07: arm64, pi-07: amd64}}\n",
       "1:42: platforms.certificates: found \"pi-07\" a second time"},
      {"a certificate without a name", "platforms: {certificates: {\"\": arm64}}\n",
       "1:28: platforms.certificates: found \"\"; allowed: a certificate's common name, at most "
       "256 "
       "bytes without control characters"},
      {"a newline in a certificate's name", "platforms: {certificates: {\"a\\nb\": arm64}}\n",
       "1:28: platforms.certificates: found \"a\\nb\"; allowed: a certificate's common name, at "
       "most 256 bytes without control characters"},
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
      "  conflict: trust\n");
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
}

TEST_CASE("certificates are found by their names as they are") {
  const TempFolder folder;
  const std::string pem = folder.write("a.pem", "PEM");
  const std::string listen = "listen: [{address: 0.0.0.0:5443, tls: {certificate: " + pem +
                             ", key: " + pem + ", client_ca: " + pem + "}}]\n";
  const ReadOutcome outcome = outcome_of(
      listen + "platforms: {certificates: {pi-07: aarch64, PI-07: arm/v6, \"O=a, CN=*\": amd64}}");
  REQUIRE(outcome.settings.has_value());
  CHECK(outcome.warnings.empty());
  const auto& certificates = outcome.settings->platforms.certificates;
  REQUIRE(certificates.size() == 3);
  CHECK(certificates.at("pi-07").str() == "linux/arm64");
  CHECK(certificates.at("PI-07").str() == "linux/arm/v6");
  CHECK(certificates.at("O=a, CN=*").str() == "linux/amd64");
}

TEST_CASE("certificates that no listener asks for are worth a warning") {
  const ReadOutcome outcome = outcome_of("platforms: {certificates: {pi-07: arm64}}");
  CHECK(outcome.settings.has_value());
  REQUIRE(outcome.warnings.size() == 1);
  CHECK(outcome.warnings[0] ==
        "archway.yaml:1:27: platforms.certificates: no listener asks for certificates "
        "(listen[].tls.client_ca), so nobody is found here");
  CHECK(outcome_of("platforms: {certificates: {}}").warnings.empty());
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
