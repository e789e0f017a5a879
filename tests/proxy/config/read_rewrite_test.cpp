#include "proxy/config/read.hpp"
#include "tests/proxy/config/reading.hpp"

#include <doctest/doctest.h>
#include <string>

namespace archway::proxy {
namespace {

TEST_CASE("rules for rewriting that cannot be are reported") {
  const std::string with_long =
      "rewrite: {rules: [{from: a, to: " + std::string(256, 'a') + "}]}\n";
  const std::string from_long =
      "rewrite: {rules: [{to: a, from: " + std::string(256, 'a') + "}]}\n";
  const BadRow rows[] = {
      {"a word for the section", "rewrite: true\n",
       "1:10: rewrite: found \"true\"; allowed: a mapping of architecture_organisations or rules"},
      {"an unknown key", "rewrite: {architecture_organizations: true}\n",
       "1:11: found the unknown key \"architecture_organizations\" in rewrite; did you mean "
       "architecture_organisations?"},
      {"a word that is no truth", "rewrite: {architecture_organisations: on}\n",
       "1:39: rewrite.architecture_organisations: found \"on\"; allowed: true or false"},
      {"a mapping for rules", "rewrite: {rules: {a: b}}\n",
       "1:18: rewrite.rules: found a mapping; allowed: a list of rules with from and to"},
      {"a rule from nothing", "rewrite: {rules: [{to: docker.io/a}]}\n",
       "1:19: rewrite.rules[0]: the key from is missing"},
      {"a rule to nothing", "rewrite: {rules: [{from: docker.io/a}]}\n",
       "1:19: rewrite.rules[0]: the key to is missing"},
      {"an empty expression", "rewrite: {rules: [{from: \"\", to: docker.io/a}]}\n",
       "1:26: rewrite.rules[0].from: found \"\"; allowed: a regular expression such as "
       "\"docker.io/(.*)-arm64\""},
      {"an empty name", "rewrite: {rules: [{from: docker.io/a, to: }]}\n",
       "1:39: rewrite.rules[0].to: found nothing; allowed: a name such as \"docker.io/$1\""},
      {"too long", with_long,
       "1:19: rewrite.rules[0]: found \"a\", which is longer than 255 characters"},
      {"a pattern too long", from_long,
       "1:19: rewrite.rules[0]: found "
       "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
       "...\", which is longer than 255 characters"},
      {"a capture that is not there",
       "rewrite:\n  rules:\n    - {from: docker.io/a, to: docker.io/b}\n    - from: "
       "docker.io/(.*)-arm64\n      to: docker.io/$2\n",
       "4:7: rewrite.rules[1]: found \"docker.io/(.*)-arm64\", which has $2 in \"to\", but its "
       "pattern captures only 1"},
      {"an upstream that is not configured",
       "upstreams: [{name: ghcr.io}]\nrewrite: {rules: [{from: \"ghcr.io/(.*)-arm64\", to: "
       "\"quay.io/$1\"}]}\n",
       "2:19: rewrite.rules[0]: found \"ghcr.io/(.*)-arm64\", which makes what is no image's name: "
       "the registry \"quay.io\" is not configured as an upstream of this archway; it has ghcr.io"},
  };
  check_refused(rows);
}

TEST_CASE("a pattern that does not compile is reported with what the library says") {
  const ReadOutcome outcome =
      outcome_of("rewrite: {rules: [{from: \"docker.io/(.*\", to: docker.io/a}]}");
  CHECK_FALSE(outcome.settings.has_value());
  REQUIRE(outcome.problems.size() == 1);
  CHECK(outcome.problems[0].str().starts_with(
      "archway.yaml:1:19: rewrite.rules[0]: found \"docker.io/(.*\", which is not a regular "
      "expression: "));
}

TEST_CASE("rules for rewriting are read in their order, as they are written") {
  const Settings settings = settings_of(
      "rewrite:\n"
      "  architecture_organisations: true\n"
      "  rules:\n"
      "    - {from: \"docker.io/(.*)-(arm64|amd64)\", to: \"docker.io/$1\"}\n"
      "    - from: 'ghcr\\.io/team/(\\w+):(.+)-arm64'\n"
      "      to: ghcr.io/team/$1:$2\n");
  CHECK(settings.rewrite.architecture_organisations);
  REQUIRE(settings.rewrite.rules.size() == 2);
  CHECK(settings.rewrite.rules[0] ==
        resolver::RewriteRule{.from = "docker.io/(.*)-(arm64|amd64)", .to = "docker.io/$1"});
  CHECK(settings.rewrite.rules[1] ==
        resolver::RewriteRule{.from = "ghcr\\.io/team/(\\w+):(.+)-arm64",
                              .to = "ghcr.io/team/$1:$2"});
  CHECK_FALSE(settings_of("rewrite:\n").rewrite.architecture_organisations);
}

TEST_CASE("Docker Hub's organisations without Docker Hub are worth a warning") {
  const std::string on = "rewrite: {architecture_organisations: true}\n";
  CHECK(outcome_of(on).warnings.empty());
  const ReadOutcome outcome = outcome_of("upstreams: [{name: ghcr.io}]\n" + on);
  CHECK(outcome.settings.has_value());
  REQUIRE(outcome.warnings.size() == 1);
  CHECK(outcome.warnings[0] ==
        "archway.yaml:2:39: rewrite.architecture_organisations: docker.io is not one of the "
        "upstreams, so there is nothing to rewrite");
  CHECK(outcome_of("upstreams: [{name: ghcr.io}]\nrewrite: {architecture_organisations: false}\n")
            .warnings.empty());
}

}  // namespace
}  // namespace archway::proxy
