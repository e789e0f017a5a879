#include "resolver/fitting.hpp"

#include "tests/resolver/indexes.hpp"

#include <doctest/doctest.h>
#include <string>

using namespace archway::resolver;
using archway::Platform;

TEST_CASE("platforms.allow lets through what one of its entries covers") {
  struct Row {
    std::string why;
    std::vector<Platform> allow;
    std::string_view on;
    bool want;
  };
  const Row rows[] = {
      {"no list: everything", {}, "plan9/sparc", true},
      {"the same", platforms({"linux/arm64"}), "linux/arm64", true},
      {"one of several", platforms({"linux/arm64", "linux/amd64"}), "linux/amd64", true},
      {"another architecture", platforms({"linux/arm64"}), "linux/amd64", false},
      {"another system", platforms({"linux/amd64"}), "windows/amd64", false},
      {"every variant of it", platforms({"linux/amd64"}), "linux/amd64/v3", true},
      {"that variant", platforms({"linux/amd64/v3"}), "linux/amd64/v3", true},
      {"another variant", platforms({"linux/amd64/v3"}), "linux/amd64/v2", false},
      {"none where one is named", platforms({"linux/amd64/v3"}), "linux/amd64", false},
      {"every build", platforms({"windows/amd64"}), "windows(10.0.20348.1)/amd64", true},
      {"a build's revision", platforms({"windows(10.0.20348)/amd64"}),
       "windows(10.0.20348.1)/amd64", true},
      {"that revision", platforms({"windows(10.0.20348.1)/amd64"}), "windows(10.0.20348.1)/amd64",
       true},
      {"another revision", platforms({"windows(10.0.20348.1)/amd64"}),
       "windows(10.0.20348.12)/amd64", false},
      {"another build", platforms({"windows(10.0.20348)/amd64"}), "windows(10.0.17763.1)/amd64",
       false},
      {"a build that starts alike", platforms({"windows(10.0.2034)/amd64"}),
       "windows(10.0.20348)/amd64", false},
      {"no build where one is named", platforms({"windows(10.0.20348)/amd64"}), "windows/amd64",
       false},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    CHECK(is_allowed({.allow = row.allow}, platform(row.on)) == row.want);
  }
}

TEST_CASE("candidates are the entries that could be images, allowed and barred ones apart") {
  const auto top =
      index({entry(1, "linux/amd64"), entry(2, "linux/arm64"), attestation(3, 1), entry(4, ""),
             entry(5, "linux/arm64", "application/vnd.example"), nested_entry(6, "linux/arm64")});
  const auto [allowed, barred] = candidates(top, {.allow = platforms({"linux/arm64"})});
  std::string all;
  for (std::size_t i = 0; i < top.manifests.size(); ++i) {
    all += allowed[i] != nullptr ? "a" : barred[i] != nullptr ? "b" : "-";
    CHECK((allowed[i] == nullptr || barred[i] == nullptr));
  }
  CHECK(all == "ba---a");
  CHECK(*allowed[1] == platform("linux/arm64"));
}

TEST_CASE("a client's ladders are its own and one for each thing it emulates") {
  const auto ladders = ladders_of(
      client("linux/arm/v6", platforms({"linux/amd64", "linux/arm64/v10", "linux/s390x"})));
  REQUIRE(ladders.size() == 3);  // what is emulated in a variant that is not known has none
  CHECK(ladders[0] == platforms({"linux/arm/v6", "linux/arm/v5"}));
  CHECK(ladders[1] == platforms({"linux/amd64"}));  // qemu is one architecture: no 386
  CHECK(ladders[2] == platforms({"linux/s390x"}));
  CHECK(ladders_of({}).empty());
  CHECK(ladders_of(client("linux/arm64/v10", platforms({"linux/amd64"}))).empty());
  auto some_arm = client("linux/arm");
  some_arm.variant_unknown = true;
  CHECK(ladders_of(some_arm).empty());
}
