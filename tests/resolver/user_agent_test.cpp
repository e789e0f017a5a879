#include "resolver/user_agent.hpp"

#include <doctest/doctest.h>
#include <string>
#include <vector>

using namespace archway::resolver;

namespace {

/// `client version platform`, to compare with.
std::string shown(const UserAgent& agent) {
  return agent.client + " " + agent.version + " " + (agent.platform ? agent.platform->str() : "-");
}

}  // namespace

TEST_CASE("words within comments say nothing about the client") {
  struct Row {
    std::string why;
    std::string text;
    std::string want;
  };
  const std::vector<Row> rows = {
      {"a comment of its own", "docker/1 (os/linux arch/arm64)", "docker 1 -"},
      {"a comment glued to a product", "docker/1 X(os/linux arch/arm64)", "docker 1 -"},
      {"a comment within a comment", "docker/1 (a (b) os/linux arch/arm64)", "docker 1 -"},
      {"a comment left open", "docker/1 (a os/linux arch/arm64", "docker 1 -"},
      {"an escape at the very end", "docker/1 (a\\", "docker 1 -"},
      {"the comment does not hide what follows", "docker/1 (a b) os/linux arch/arm64",
       "docker 1 linux/arm64"},
      {"a closing bracket alone", "docker/1 ) os/linux arch/arm64", "docker 1 linux/arm64"},
      {"an unescaped bracket lets words out: then they are said twice",
       "docker/1 os/linux arch/amd64 U(a) os/linux arch/arm64 (b)", "docker 1 -"},
      {"a comment first", "(x) docker/1 os/linux arch/arm64", "  linux/arm64"},
      {"capitals", "docker/1 os/Linux arch/arm64", "docker 1 -"},
      {"tabs and many spaces", "  docker/1 \t os/linux   arch/arm64 ", "docker 1 linux/arm64"},
      {"the same twice", "docker/1 os/linux os/linux arch/arm64", "docker 1 -"},
      {"no version", "docker os/linux arch/s390x", "docker  linux/s390x"},
      {"spaces alone", "   ", "  -"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    CHECK(shown(parse_user_agent(row.text)) == row.want);
  }
}

TEST_CASE("only dockerd and CRI-O hint at a platform, whoever else uses the words") {
  const std::string words = " os/linux arch/aarch64";
  CHECK(hinted_platform(parse_user_agent("docker/1" + words))->str() == "linux/arm64");
  CHECK(hinted_platform(parse_user_agent("cri-o/1" + words))->str() == "linux/arm64");
  CHECK(!hinted_platform(parse_user_agent("my-agent/1" + words)));
  CHECK(!hinted_platform(parse_user_agent("Docker/1" + words)));
  CHECK(!hinted_platform(parse_user_agent("dockerx/1" + words)));
  CHECK(!hinted_platform(parse_user_agent("docker/1")));
}

TEST_CASE("a hint of arm stays without a variant") {
  const auto hint = hinted_platform(parse_user_agent("docker/1 os/linux arch/arm"));
  REQUIRE(hint);
  CHECK(hint->str() == "linux/arm");
  CHECK(variant_is_missing(*hint));
  CHECK(!variant_is_missing(hint->normalised()));
  CHECK(!variant_is_missing({.os = "linux", .architecture = "arm64"}));
}
