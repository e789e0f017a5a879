#include "proxy/command/config_online.hpp"

#include "tests/proxy/command/running.hpp"
#include "tests/support/scripted_upstream.hpp"

#include <doctest/doctest.h>
#include <string>

namespace archway::proxy {
namespace {

using test::ScriptedUpstream;

std::string config_of(const ScriptedUpstream& registry, const std::string& images = {}) {
  return "upstreams: [{name: a.lan, url: \"" + registry.url() + "\", default: true}]\n" + images;
}

TEST_CASE("config check --online asks the upstreams of a valid file") {
  ScriptedUpstream registry;
  registry.on("/v2/").answer(200);
  const TempFolder folder;
  const std::string file = folder.write("a.yaml", config_of(registry));
  const Ran offline = run_with({"config", "check", file});
  CHECK(offline.out == file + ": valid\n");
  CHECK(registry.requests().empty());
  const Ran ran = run_with({"config", "check", "--online", file});
  CHECK(ran.code == exits::ok);
  CHECK(ran.out == file + ": valid\nupstream a.lan (" + registry.url() +
                       "/): answers\nasked: 1 upstream, 0 members of virtual images; 0 problems\n");
}

TEST_CASE("config check --online lists what is missing") {
  ScriptedUpstream registry;
  registry.on("/v2/").answer(200);
  registry.on("/v2/username/test/manifests/1").answer(200);
  const TempFolder folder;
  const std::string file = folder.write(
      "a.yaml", config_of(registry,
                          "images:\n  a.lan/username/all:1:\n    linux/amd64: a.lan/username/test\n"
                          "    linux/arm64: a.lan/username/arm64v8-test\n"));
  const Ran ran = run_with({"config", "check", "--online", file});
  CAPTURE(ran.out);
  CHECK(ran.code == exits::partly);
  CHECK(ran.out.find("image a.lan/username/all:1: its member for linux/arm64, "
                     "a.lan/username/arm64v8-test: MISSING: a.lan") != std::string::npos);
  CHECK(ran.out.find("linux/amd64") == std::string::npos);
  CHECK(ran.out.ends_with("asked: 1 upstream, 2 members of virtual images; 1 problem\n"));
}

TEST_CASE("config check --online names an upstream that fails") {
  ScriptedUpstream registry;
  registry.on("/v2/").answer(500);
  const TempFolder folder;
  const Ran ran =
      run_with({"config", "check", "--online", folder.write("a.yaml", config_of(registry))});
  CHECK(ran.code == exits::partly);
  CHECK(ran.out.find("/): FAILED: ") != std::string::npos);
}

TEST_CASE("config check --online asks nobody for a file that is not valid") {
  ScriptedUpstream registry;
  const TempFolder folder;
  const std::string file = folder.write("a.yaml", config_of(registry, "drain: 5\n"));
  const Ran ran = run_with({"config", "check", "--online", file});
  CHECK(ran.code == exits::configuration);
  CHECK(ran.out.ends_with("1 problem\n"));
  CHECK(registry.requests().empty());
}

}  // namespace
}  // namespace archway::proxy
