#include "proxy/config/sections.hpp"
#include "tests/proxy/config/reading.hpp"

#include <doctest/doctest.h>
#include <string>

namespace archway::proxy {
namespace {

TEST_CASE("a platform that something names and allow leaves out is worth a warning") {
  struct Row {
    const char* why;
    std::string text;
    const char* want;  ///< without the file's name, one warning a line
  };
  const Row rows[] = {
      {"everything is allowed", "platforms: {clients: [{from: 10.0.0.1, platform: arm/v7}]}\n", ""},
      {"a client that is allowed",
       "platforms: {allow: [amd64, arm64], clients: [{from: 10.0.0.1, platform: arm64}]}\n", ""},
      {"a client that is not",
       "platforms: {allow: [amd64, arm64], clients: [{from: 10.0.0.1, platform: s390x}]}\n",
       "1:73: platforms.clients[0].platform: platforms.allow leaves linux/s390x out, so no image "
       "for it is fetched"},
      {"what a client emulates",
       "platforms: {clients: [{from: 10.0.0.1, platform: arm64, emulates: [s390x, amd64]}], allow: "
       "[arm64, amd64]}\n",
       "1:68: platforms.clients[0].emulates[0]: platforms.allow leaves linux/s390x out, so no "
       "image "
       "for it is fetched"},
      {"a client that runs what is allowed",
       "platforms: {allow: [amd64, arm/v6], clients: [{from: 10.0.0.1, platform: arm64}]}\n", ""},
      {"a client that does not run what is allowed",
       "platforms: {allow: [amd64, arm/v7], clients: [{from: 10.0.0.1, platform: arm/v6}]}\n",
       "1:74: platforms.clients[0].platform: platforms.allow leaves linux/arm/v6 out, so no image "
       "for it is fetched"},
      {"a variant of what is allowed",
       "platforms: {allow: [amd64, arm], hosts: {a.lan: arm/v6, b.lan: amd64/v3}}\n", ""},
      {"a host, a listener",
       "listen:\n  - {address: 0.0.0.0:5007, platform: arm/v7}\nplatforms:\n  allow: [amd64]\n"
       "  hosts: {a.lan: arm64}\n",
       "2:39: listen[0].platform: platforms.allow leaves linux/arm/v7 out, so no image for it is "
       "fetched\n5:18: platforms.hosts.a.lan: platforms.allow leaves linux/arm64 out, so no image "
       "for it is fetched"},
      {"the default that was said", "platforms: {allow: [arm64], default: amd64}\n",
       "1:38: platforms.default: platforms.allow leaves linux/amd64 out, so no image for it is "
       "fetched"},
      {"the default that was not said", "platforms: {allow: [arm64, arm]}\n",
       "1:21: platforms.allow: linux/amd64 is left out, which clients that cannot choose are given "
       "unless platforms.default says otherwise"},
      {"no default", "platforms: {allow: [arm64], default: none}\n", ""},
      {"a member of a virtual image",
       "platforms: {allow: [amd64]}\nimages: {docker.io/a/b: {amd64: docker.io/a/b, riscv64: "
       "docker.io/a/c}}\n",
       "2:48: images.docker.io/a/b: platforms.allow leaves linux/riscv64 out, so no image for it "
       "is fetched"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.why);
    const ReadOutcome outcome = outcome_of(row.text);
    CHECK(outcome.settings.has_value());
    std::string found;
    for (const std::string& warning : outcome.warnings) {
      REQUIRE(warning.starts_with("archway.yaml:"));
      found += (found.empty() ? "" : "\n") + warning.substr(13);
    }
    CHECK(found == std::string(row.want));
  }
}

}  // namespace
}  // namespace archway::proxy
