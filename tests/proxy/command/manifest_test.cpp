#include "tests/proxy/command/running.hpp"

#include <doctest/doctest.h>
#include <string>
#include <vector>

namespace archway::proxy {
namespace {

TEST_CASE("the manifest commands are there with docker's own flags") {
  struct Row {
    std::vector<std::string> arguments;
    std::vector<std::string> flags;
  };
  const Row rows[] = {
      {{"manifest", "inspect", "--help"},
       {"--json", "--raw", "--verbose", "--platform", "--gateway", "--admin", "--insecure",
        "--config", "--username", "--password-stdin", "--debug", "--quiet", "--no-color"}},
      {{"manifest", "create", "--help"}, {"--amend", "--insecure", "--virtual", "--strict"}},
      {{"manifest", "annotate", "--help"},
       {"--os ", "--arch", "--variant", "--os-version", "--os-features"}},
      {{"manifest", "push", "--help"}, {"--purge", "--insecure", "--docker-list"}},
      {{"manifest", "rm", "--help"}, {"TARGET"}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.arguments[1]);
    const Ran ran = run_with(row.arguments);
    CHECK(ran.code == exits::ok);
    for (const auto& flag : row.flags) {
      CAPTURE(flag);
      CHECK(ran.out.find(flag) != std::string::npos);
    }
  }
}

TEST_CASE("a manifest command that makes no sense is told what would") {
  struct Row {
    const char* why;
    std::vector<std::string> arguments;
    const char* want;
  };
  const Row rows[] = {
      {"mistyped",
       {"manifest", "inspekt", "a"},
       "archway manifest: found \"inspekt\"; did you mean inspect?"},
      {"nothing to inspect", {"manifest", "inspect"}, "IMAGE is required"},
      {"nothing to create from", {"manifest", "create", "a"}, "SOURCE is required"},
      {"bytes and JSON", {"manifest", "inspect", "--raw", "--json", "a"}, "excludes"},
      {"strict about a draft", {"manifest", "create", "--strict", "a", "b"}, "requires --virtual"},
      {"a draft in a gateway",
       {"manifest", "create", "--virtual", "--amend", "a", "b"},
       "excludes"},
      {"an image that is none", {"manifest", "inspect", "A"}, "is not a repository name"},
      {"nothing stated", {"manifest", "annotate", "a", "b"}, "nothing is stated"},
      {"a mistyped flag", {"manifest", "push", "a", "--prune"}, "did you mean --purge?"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.why);
    const Ran ran = run_with(row.arguments);
    CAPTURE(ran.err);
    CHECK(ran.code == exits::usage);
    CHECK(ran.out.empty());
    CHECK(ran.err.find(row.want) != std::string::npos);
  }
}

}  // namespace
}  // namespace archway::proxy
