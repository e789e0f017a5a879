#include "resolver/verdict.hpp"

#include "tests/resolver/indexes.hpp"

#include <doctest/doctest.h>
#include <string>

using namespace archway::resolver;
using archway::Platform;
using Kind = Verdict::Kind;

TEST_CASE("a client whose platform is stated gets the best child for it") {
  const Fetched none;
  CHECK(shown(none.decide(usual, client("linux/arm64"))) == "child 2 (exact)");
  CHECK(shown(none.decide(usual, client("linux/arm/v7"))) == "child 3 (runs there)");
  CHECK(shown(none.decide(usual, client("linux/s390x"))) == "pass (nothing fits)");
}

TEST_CASE("nothing is decided where there is nothing to decide or no ground to") {
  const Fetched none;
  const auto arm64 = client("linux/arm64");
  CHECK(shown(none.decide(image_for("linux/amd64"), arm64)) == "pass (not an index)");
  auto unread = usual;
  unread.interpretable = false;
  unread.why = "it is not JSON";
  CHECK(shown(none.decide(unread, arm64, refusing)) == "pass (not interpreted: it is not JSON)");
  const VerdictPolicy passing{.answer = VerdictPolicy::Answer::pass,
                              .missing = VerdictPolicy::Missing::refuse};
  CHECK(shown(none.decide(usual, arm64, passing)) == "pass (the rules say so)");
  CHECK(shown(none.decide(usual, {}, refusing)) == "pass (no platform known)");
  auto hinted = client("linux/s390x");
  hinted.resolves = false;
  CHECK(shown(none.decide(usual, hinted, refusing)) == "pass (the platform is only a hint)");
  hinted.conflict = "x";
  CHECK(shown(none.decide(usual, hinted, refusing)) == "pass (rule and User-Agent differ)");
  auto some_arm = client("linux/arm");
  some_arm.variant_unknown = true;
  CHECK(shown(none.decide(usual, some_arm, refusing)) == "pass (variant unknown)");
  CHECK(shown(none.decide(usual, client("linux/arm64/v10"), refusing)) == "pass (variant unknown)");
}

TEST_CASE("a conflict that the rules trust does not stop the decision") {
  auto trusted = client("linux/arm64");
  trusted.conflict = "x";
  CHECK(shown(Fetched{}.decide(usual, trusted)) == "child 2 (exact)");
}

TEST_CASE("a refusal says what was asked, for whom, who said so and what there is") {
  const Fetched none;
  const auto verdict = none.decide(usual, client("linux/s390x"), refusing);
  CHECK(shown(verdict) == "refuse (nothing fits)");
  CHECK(
      verdict.message ==
      "docker.io/library/golang:1.22 has no image for linux/s390x (as the client's address says); "
      "it has linux/amd64, linux/arm64, linux/arm/v6");
  CHECK(
      none.decide(index({}), client("linux/s390x"), refusing).message ==
      "docker.io/library/golang:1.22 has no image for linux/s390x (as the client's address says); "
      "it has nothing for any platform");
}

TEST_CASE("a single manifest is held against what the client runs and emulates") {
  struct Row {
    std::string why;
    std::string_view runs_on;
    std::string_view wanted;
    std::string want;
  };
  const Row rows[] = {
      {"the same", "linux/arm64", "linux/arm64", "refused: no"},
      {"its 32-bit sibling", "linux/386", "linux/amd64", "refused: no"},
      {"the variant is not compared", "linux/arm/v7", "linux/arm/v6", "refused: no"},
      {"a variant that is not known", "linux/arm64", "linux/arm64/v10", "refused: no"},
      {"emulated", "linux/riscv64", "linux/arm64", "refused: no"},
      {"another architecture", "linux/amd64", "linux/arm64", "refused: yes"},
      {"another system", "windows/arm64", "linux/arm64", "refused: yes"},
      {"64 bits on 32", "linux/amd64", "linux/386", "refused: yes"},
  };
  const VerdictPolicy refuse{.wrong = VerdictPolicy::Wrong::refuse};
  const VerdictPolicy pass{.wrong = VerdictPolicy::Wrong::pass};
  for (const auto& row : rows) {
    CAPTURE(row.why);
    auto who = client(row.wanted);
    who.emulates = {platform("linux/riscv64")};
    const auto runs_on = platform(row.runs_on);
    const bool wrong = row.want == "refused: yes";
    const auto verdict = decide_single(runs_on, who, refuse, image_name);
    CHECK(verdict.kind == (wrong ? Kind::refuse : Kind::pass));
    const auto warned = decide_single(runs_on, who, {}, image_name);
    CHECK(warned.kind == Kind::pass);
    CHECK(warned.message.empty() != wrong);
    CHECK(warned.message == verdict.message);
    CHECK(decide_single(runs_on, who, pass, image_name).message.empty());
    who.resolves = false;
    CHECK(decide_single(runs_on, who, refuse, image_name).kind == Kind::pass);
  }
  CHECK(decide_single(platform("linux/amd64"), client("linux/arm64"), refuse, image_name).message ==
        "docker.io/library/golang:1.22 is an image for linux/amd64 alone, not for linux/arm64 (as "
        "the client's address says)");
  CHECK(decide_single(platform("linux/amd64"), {}, refuse, image_name).kind == Kind::pass);
}

TEST_CASE("a Windows client gets the image for its own build, or is told what there is") {
  const auto builds = index({entry(1, "windows(10.0.17763.5936)/amd64"),
                             entry(2, "windows(10.0.20348.2527)/amd64"), entry(3, "linux/amd64")});
  const std::string has =
      "it has windows(10.0.17763.5936)/amd64, windows(10.0.20348.2527)/amd64, linux/amd64";
  struct Row {
    std::string why;
    std::string_view client;
    std::string want;
    std::string filtered;
  };
  const Row rows[] = {
      {"2022", "windows(10.0.20348)/amd64", "child 2 (exact)", "filter 1 (1 of 3 entries kept)"},
      {"2022 with its revision", "windows(10.0.20348.9)/amd64", "child 2 (exact)",
       "filter 1 (1 of 3 entries kept)"},
      {"2019", "windows(10.0.17763)/amd64", "child 1 (exact)", "filter 0 (1 of 3 entries kept)"},
      {"2025 runs what is for 2022", "windows(10.0.26100)/amd64", "child 2 (exact)",
       "filter 1 (1 of 3 entries kept)"},
      {"2016", "windows(10.0.14393)/amd64", "refuse (nothing fits)", "refuse (nothing fits)"},
      {"another architecture", "windows(10.0.20348)/arm64", "refuse (nothing fits)",
       "refuse (nothing fits)"},
      {"a build that nobody said", "windows/amd64",
       "pass (a Windows of unknown build, several builds)",
       "pass (a Windows of unknown build, several builds)"},
      {"Linux", "linux/amd64", "child 3 (exact)", "filter 2 (1 of 3 entries kept)"},
  };
  auto filtering = refusing;
  filtering.answer = VerdictPolicy::Answer::filter;
  for (const auto& row : rows) {
    CAPTURE(row.why);
    const auto verdict = Fetched{}.decide(builds, client(row.client), refusing);
    CHECK(shown(verdict) == row.want);
    CHECK(shown(Fetched{}.decide(builds, client(row.client), filtering)) == row.filtered);
    if (verdict.kind == Kind::refuse) CHECK(verdict.message.ends_with(has));
  }
}

TEST_CASE(
    "what platforms.allow leaves out counts as not there and is refused where it alone fits") {
  struct Row {
    std::string why;
    std::vector<Platform> allow;
    ClientPlatform who;
    std::string want;
    std::string filtered;
  };
  const auto emulating = client("linux/s390x", platforms({"linux/amd64", "linux/arm64"}));
  const std::string barred = "refuse (not allowed (platforms.allow))";
  const Row rows[] = {
      {"allowed", platforms({"linux/arm64"}), client("linux/arm64"), "child 2 (exact)",
       "filter 1 (1 of 3 entries kept)"},
      {"not allowed", platforms({"linux/arm64"}), client("linux/amd64"), barred, barred},
      {"the next rung is", platforms({"linux/arm"}), client("linux/arm64"), barred, barred},
      {"the next rung is, with its variant", platforms({"linux/arm/v6"}), client("linux/arm64"),
       "child 3 (runs there)", "filter 2 (1 of 3 entries kept)"},
      {"what is emulated is", platforms({"linux/arm64"}), emulating, "child 2 (emulated)",
       "filter 1 (1 of 3 entries kept)"},
      {"nothing would fit anyway", platforms({"linux/arm64"}), client("linux/s390x"),
       "pass (nothing fits)", "pass (nothing fits)"},
      {"nobody knows the client",
       platforms({"linux/arm64"}),
       {},
       "pass (no platform known)",
       "pass (no platform known)"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    VerdictPolicy policy{.allow = row.allow};
    CHECK(shown(Fetched{}.decide(usual, row.who, policy)) == row.want);
    policy.answer = VerdictPolicy::Answer::filter;
    CHECK(shown(Fetched{}.decide(usual, row.who, policy)) == row.filtered);
  }
  const VerdictPolicy policy{.allow = platforms({"linux/arm64", "linux/arm/v6"})};
  CHECK(Fetched{}.decide(usual, client("linux/amd64"), policy).message ==
        "docker.io/library/golang:1.22 has no image for linux/amd64 (as the client's address says) "
        "that platforms.allow lets through (only linux/arm64, linux/arm/v6); it has linux/amd64, "
        "linux/arm64, linux/arm/v6");
}

TEST_CASE("platforms.allow holds for what is found in configs and nested indexes, too") {
  const VerdictPolicy only_arm64{.allow = platforms({"linux/arm64"})};
  const std::string barred = "refuse (not allowed (platforms.allow))";
  Fetched fetched;
  fetched.documents[digest(10)] = image_for("linux/amd64");
  CHECK(shown(fetched.decide(index({entry(10, "")}), client("linux/amd64"), only_arm64)) == barred);
  fetched.documents[digest(10)] = usual;
  CHECK(shown(fetched.decide(index({nested_entry(10)}), client("linux/amd64"), only_arm64)) ==
        barred);
  CHECK(shown(fetched.decide(index({nested_entry(10)}), client("linux/arm64"), only_arm64)) ==
        "child 2 (exact)");
  const auto builds =
      index({entry(1, "windows(10.0.17763.1)/amd64"), entry(2, "windows(10.0.20348.1)/amd64")});
  const VerdictPolicy one_build{.allow = platforms({"windows(10.0.20348)/amd64"})};
  CHECK(shown(Fetched{}.decide(builds, client("windows/amd64"), one_build)) == "child 2 (exact)");
}

TEST_CASE("a single manifest that platforms.allow leaves out is refused for every client") {
  const auto hint = [] {
    auto who = client("linux/amd64");
    who.resolves = false;
    return who;
  };
  struct Row {
    std::string why;
    std::string_view runs_on;
    ClientPlatform who;
    std::string message;  // "" : it passes
  };
  const std::string not_amd64 =
      "docker.io/library/golang:1.22 is an image for linux/amd64 alone, which platforms.allow does "
      "not let through (only linux/arm64)";
  const std::string client_is = "; the client is linux/amd64 (as the client's address says)";
  const Row rows[] = {
      {"allowed", "linux/arm64", client("linux/arm64"), ""},
      {"an allowed variant", "linux/arm64/v9", client("linux/arm64/v9"), ""},
      {"it would run", "linux/amd64", client("linux/amd64"), not_amd64 + client_is},
      {"a hint", "linux/amd64", hint(), not_amd64 + client_is},
      {"nobody knows the client", "linux/amd64", {}, not_amd64},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    for (const auto wrong :
         {VerdictPolicy::Wrong::pass, VerdictPolicy::Wrong::warn, VerdictPolicy::Wrong::refuse}) {
      const VerdictPolicy policy{.wrong = wrong, .allow = platforms({"linux/arm64"})};
      const auto verdict = decide_single(platform(row.runs_on), row.who, policy, image_name);
      CHECK(verdict.kind == (row.message.empty() ? Kind::pass : Kind::refuse));
      CHECK(verdict.message == row.message);
    }
  }
}
