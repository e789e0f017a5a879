#include "proxy/command/doctor_probes.hpp"

#include "proxy/config/defaults.hpp"
#include "tests/proxy/config/reading.hpp"

#include <doctest/doctest.h>
#include <string>

namespace archway::proxy {
namespace {

/// `client -> target` of each, without the image.
std::vector<std::string> told(const Settings& settings) {
  std::vector<std::string> lines;
  for (const Probe& probe : probes_for(settings, "a")) {
    const auto target = explain_target(probe.query);
    const std::string before = "/api/v1/explain?image=a&";
    REQUIRE(target.starts_with(before));
    lines.push_back(probe.client + " -> " + target.substr(before.size()));
  }
  return lines;
}

TEST_CASE("without a configuration the usual platforms are probed, stated in both ways") {
  const auto lines = told(default_settings(environment_of_test()));
  REQUIRE(lines.size() == 8);
  CHECK(lines[0] == "linux/amd64 by header (containerd) -> header=linux%2Famd64");
  CHECK(lines[1] == "linux/amd64 by path (docker, podman, k3s) -> path=linux-amd64");
  CHECK(lines[4] == "linux/arm/v7 by header (containerd) -> header=linux%2Farm%2Fv7");
  CHECK(lines[5] == "linux/arm/v7 by path (docker, podman, k3s) -> path=linux-arm-v7");
  CHECK(lines[6].starts_with("docker that states nothing -> user_agent=docker%2F28"));
  CHECK(lines[7].starts_with("a client that knows no index and states nothing -> accept="));
  const auto probes = probes_for(default_settings(environment_of_test()), "a");
  for (std::size_t i = 0; i < probes.size(); ++i) CHECK(probes[i].stated == (i < 6));
}

TEST_CASE("what the configuration knows of clients is probed, each platform once") {
  const auto settings = settings_of(
      "listen: [{address: 0.0.0.0:5000}, {address: 0.0.0.0:5006, platform: linux/arm/v6},\n"
      "         {address: 127.0.0.1:0, platform: linux/amd64}]\n"
      "platforms:\n"
      "  hosts: {riscv.lan: linux/riscv64}\n"
      "  clients: [{from: 10.20.0.0/16, platform: linux/arm64},\n"
      "            {from: 10.30.0.0/16, platform: windows(10.0.20348)/amd64}]\n");
  const auto lines = told(settings);
  const std::vector<std::string> want = {
      "linux/arm/v6 by header (containerd) -> header=linux%2Farm%2Fv6",
      "linux/arm/v6 by path (docker, podman, k3s) -> path=linux-arm-v6",
      "linux/riscv64 by header (containerd) -> header=linux%2Friscv64",
      "linux/riscv64 by path (docker, podman, k3s) -> path=linux-riscv64",
      "windows(10.0.20348)/amd64 by header (containerd) -> header=windows%2810.0.20348%29%2Famd64",
      "linux/arm/v6 by port 5006 -> port=5006",
      "linux/riscv64 by host name riscv.lan -> host=riscv.lan",
      "linux/arm64 by address 10.20.0.0/16 -> from=10.20.0.0",
      "windows(10.0.20348)/amd64 by address 10.30.0.0/16 -> from=10.30.0.0"};
  REQUIRE(lines.size() == 6 + want.size() + 2);
  for (std::size_t i = 0; i < want.size(); ++i) CHECK(lines[6 + i] == want[i]);
}

}  // namespace
}  // namespace archway::proxy
