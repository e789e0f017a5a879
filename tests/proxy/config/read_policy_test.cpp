#include "proxy/config/read.hpp"
#include "tests/proxy/config/reading.hpp"

#include <doctest/doctest.h>
#include <string>

namespace archway::proxy {
namespace {

using resolver::VerdictPolicy;

TEST_CASE("policies that cannot be are reported") {
  const BadRow rows[] = {
      {"no such answer", "platforms: {answer: reslove}\n",
       "1:21: platforms.answer: found \"reslove\"; allowed: resolve, filter or pass; did you mean "
       "resolve?"},
      {"an answer in a list", "platforms: {answer: [pass]}\n",
       "1:21: platforms.answer: found a list; allowed: resolve, filter or pass"},
      {"no such word for what is missing", "platforms: {missing: deny}\n",
       "1:22: platforms.missing: found \"deny\"; allowed: pass or refuse"},
      {"no such word for what is wrong", "platforms: {wrong: wran}\n",
       "1:20: platforms.wrong: found \"wran\"; allowed: warn, refuse or pass; did you mean warn?"},
      {"nothing for what is wrong", "platforms:\n  wrong:\n",
       "2:3: platforms.wrong: found nothing; allowed: warn, refuse or pass"},
      {"one allowed platform, not in a list", "platforms: {allow: linux/amd64}\n",
       "1:20: platforms.allow: found \"linux/amd64\"; allowed: a list of platforms such as "
       "[linux/amd64, linux/arm64]"},
      {"an allowed system without a machine", "platforms: {allow: [linux]}\n",
       "1:21: platforms.allow[0]: \"linux\" is not a platform: it names a system but no "
       "architecture; write it like linux/arm64 or linux/arm/v7"},
      {"a platform allowed twice, in other words", "platforms: {allow: [arm64, linux/aarch64]}\n",
       "1:28: platforms.allow[1]: found linux/arm64 a second time"},
      {"all of arm twice", "platforms: {allow: [arm, linux/arm]}\n",
       "1:26: platforms.allow[1]: found linux/arm a second time"},
      {"a rule with a tag", "platforms: {rules: [{match: \"ghcr.io/a:latest\", answer: pass}]}\n",
       "1:29: platforms.rules[0].match: found \"ghcr.io/a:latest\"; this rule is about images, "
       "whatever their tag; leave the tag away"},
      {"a rule with another word", "platforms: {rules: [{match: \"ghcr.io/*\", answer: filtre}]}\n",
       "1:50: platforms.rules[0].answer: found \"filtre\"; allowed: resolve, filter or pass; did "
       "you mean filter?"},
      {"a rule with other words",
       "platforms:\n  rules:\n    - match: \"ghcr.io/*\"\n      missing: index\n      wrong: "
       "deny\n",
       "4:16: platforms.rules[0].missing: found \"index\"; allowed: pass or refuse\n"
       "5:14: platforms.rules[0].wrong: found \"deny\"; allowed: warn, refuse or pass"},
      {"a rule that changes nothing", "platforms: {rules: [{match: \"ghcr.io/*\"}]}\n",
       "1:21: platforms.rules[0]: found no answer, missing or wrong; allowed: at least one of "
       "them"},
      {"a rule that says nothing", "platforms: {rules: [{}]}\n",
       "1:21: platforms.rules[0]: the key match is missing\n1:21: platforms.rules[0]: found no "
       "answer, missing or wrong; allowed: at least one of them"},
      {"a rule for nothing", "platforms: {rules: [{wrong: pass}]}\n",
       "1:21: platforms.rules[0]: the key match is missing"},
      {"a rule that is a text", "platforms: {rules: [pass]}\n",
       "1:21: platforms.rules[0]: found \"pass\"; allowed: a mapping of match, answer, missing or "
       "wrong"},
      {"a key that rules do not have",
       "platforms: {rules: [{match: \"*\", answer: pass, conflict: trust}]}\n",
       "1:48: found the unknown key \"conflict\" in platforms.rules[0]; did you mean "
       "platforms.conflict?"},
      {"a rule that contradicts itself",
       "platforms:\n  rules:\n    - {match: \"*\", missing: refuse, answer: pass}\n",
       "3:29: platforms.rules[0].missing: found refuse beside answer: pass, which looks for no "
       "platform; allowed: one of the two"},
      {"a mapping for rules", "platforms: {rules: {match: \"*\"}}\n",
       "1:20: platforms.rules: found a mapping; allowed: a list of rules with match and answer"},
  };
  check_refused(rows);
}

TEST_CASE("policies are read") {
  const Settings settings = settings_of(
      "platforms:\n"
      "  answer: filter\n  missing: refuse\n  wrong: refuse\n"
      "  allow: [x86_64, arm64, arm/v6]\n"
      "  rules:\n"
      "    - {match: \"ghcr.io/signed/*\", answer: pass}\n"
      "    - {match: \"ghcr.io/old/*\", missing: pass, wrong: pass}\n"
      "    - {match: \"*\", answer: resolve, missing: refuse, wrong: warn}\n");
  CHECK(settings.policy.answer == VerdictPolicy::Answer::filter);
  CHECK(settings.policy.missing == VerdictPolicy::Missing::refuse);
  CHECK(settings.policy.wrong == VerdictPolicy::Wrong::refuse);
  REQUIRE(settings.policy.allow.size() == 3);
  CHECK(settings.policy.allow[0].str() == "linux/amd64");
  CHECK(settings.policy.allow[2].str() == "linux/arm/v6");
  const auto& rules = settings.policy_rules;
  REQUIRE(rules.size() == 3);
  CHECK(rules[0].match == "ghcr.io/signed/*");
  CHECK(rules[0].answer == VerdictPolicy::Answer::pass);
  CHECK_FALSE(rules[0].missing.has_value());
  CHECK_FALSE(rules[0].wrong.has_value());
  CHECK_FALSE(rules[1].answer.has_value());
  CHECK(rules[1].missing == VerdictPolicy::Missing::pass);
  CHECK(rules[1].wrong == VerdictPolicy::Wrong::pass);
  CHECK(rules[2].answer == VerdictPolicy::Answer::resolve);
  CHECK(rules[2].missing == VerdictPolicy::Missing::refuse);
  CHECK(rules[2].wrong == VerdictPolicy::Wrong::warn);
}

TEST_CASE(
    "what is not said is resolved, passed where nothing fits, and warned of where it is wrong") {
  const Settings settings = settings_of("platforms: {}");
  CHECK(settings.policy.answer == VerdictPolicy::Answer::resolve);
  CHECK(settings.policy.missing == VerdictPolicy::Missing::pass);
  CHECK(settings.policy.wrong == VerdictPolicy::Wrong::warn);
  CHECK(settings.policy.allow.empty());
  CHECK(settings.policy_rules.empty());
}

TEST_CASE("who allows arm without a variant allows all of it") {
  struct Row {
    const char* why;
    std::string written;
    const char* want_variant;
  };
  const Row rows[] = {
      {"the architecture alone", "arm", ""},       {"with its system", "linux/arm", ""},
      {"a variant", "linux/arm/v7", "v7"},         {"what dpkg calls it", "armhf", "v7"},
      {"another architecture", "linux/arm64", ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.why);
    const Settings settings =
        settings_of("platforms: {default: none, allow: [" + row.written + "]}");
    REQUIRE(settings.policy.allow.size() == 1);
    CHECK(settings.policy.allow[0].variant == row.want_variant);
  }
}

TEST_CASE("a rule that another one hides is worth a warning") {
  struct Row {
    const char* why;
    std::string first;
    std::string second;
    bool want;
  };
  const Row rows[] = {
      {"everything comes first", "*", "ghcr.io/signed/*", true},
      {"a whole registry comes first", "ghcr.io/*", "ghcr.io/signed/*", true},
      {"the same twice", "ghcr.io/[ab]", "ghcr.io/[ab]", true},
      {"question marks within a star", "ghcr.io/*", "ghcr.io/a?", true},
      {"the other way round", "ghcr.io/signed/*", "ghcr.io/*", false},
      {"another registry", "quay.io/*", "ghcr.io/*", false},
      {"another ending", "*/app", "*/app-2", false},
      {"a letter that is one of a set", "*/*b*", "ghcr.io/[abc]", false},
      {"one character is not any", "ghcr.io/?", "ghcr.io/*", false},
      {"an escaped star is a star", "ghcr.io/\\\\*", "ghcr.io/*", false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.why);
    const ReadOutcome outcome =
        outcome_of("platforms:\n  rules:\n    - {match: \"" + row.first +
                   "\", answer: pass}\n    - {match: \"" + row.second + "\", answer: filter}\n");
    REQUIRE(outcome.settings.has_value());
    CHECK(outcome.settings->policy_rules.size() == 2);
    REQUIRE(outcome.warnings.size() == (row.want ? 1 : 0));
    if (!row.want) continue;
    CHECK(outcome.warnings[0] == "archway.yaml:4:15: platforms.rules[1].match: \"" + row.second +
                                     "\" is never reached: the rule for \"" + row.first +
                                     "\" comes first");
  }
}

}  // namespace
}  // namespace archway::proxy
