#include "proxy/config/settings.hpp"

#include "tests/proxy/config/reading.hpp"

#include <doctest/doctest.h>

namespace archway::proxy {
namespace {

using Texts = std::vector<std::string>;
using resolver::VerdictPolicy;

TEST_CASE("an endpoint is printed as it is written in a configuration") {
  CHECK(Settings::Endpoint{.address = "127.0.0.1", .port = 1}.str() == "127.0.0.1:1");
  CHECK(Settings::Endpoint{.address = "::1", .port = 0}.str() == "[::1]:0");
  CHECK(Settings::Endpoint{.unix_path = "/a"}.str() == "unix:/a");
}

TEST_CASE("the resolver gets names, aliases, hosts and the default") {
  const auto names = upstream_names(settings_of(
      "upstreams: [{name: quay.io, default: true, hosts: [quay.lan]}, {name: docker.io}]"));
  REQUIRE(names.entries.size() == 2);
  CHECK(names.default_name == "quay.io");
  CHECK(names.entries[0].name == "quay.io");
  CHECK(names.entries[0].aliases.empty());
  CHECK(names.entries[0].hosts == Texts{"quay.lan"});
  CHECK_FALSE(names.entries[0].adds_library);
  CHECK(names.entries[1].aliases == Texts{"index.docker.io", "registry-1.docker.io"});
  CHECK(names.entries[1].adds_library);
}

TEST_CASE("an upstream's own name is stronger than another's alias") {
  const auto names =
      upstream_names(settings_of("upstreams: [{name: docker.io}, {name: index.docker.io}]"));
  CHECK(names.entries[0].aliases == Texts{"registry-1.docker.io"});
  CHECK(names.default_name.empty());
}

TEST_CASE("the first rule that matches an image changes what it says, and nothing else") {
  using Answer = VerdictPolicy::Answer;
  using Missing = VerdictPolicy::Missing;
  using Wrong = VerdictPolicy::Wrong;
  const Settings settings = settings_of(
      "platforms:\n"
      "  answer: filter\n  missing: refuse\n  wrong: refuse\n  allow: [amd64]\n"
      "  rules:\n"
      "    - {match: \"ghcr.io/signed/*\", answer: pass}\n"
      "    - {match: \"ghcr.io/*\", missing: pass, wrong: pass}\n"
      "    - {match: \"*/library/alpine\", answer: resolve, missing: pass, wrong: warn}\n");
  struct Row {
    const char* why;
    const char* repository;
    const char* rule;  ///< "" : none
    Answer answer;
    Missing missing;
    Wrong wrong;
  };
  const Row rows[] = {
      {"a rule for the answer", "signed/app", "ghcr.io/signed/*", Answer::pass, Missing::refuse,
       Wrong::refuse},
      {"a rule for the rest", "team/app", "ghcr.io/*", Answer::filter, Missing::pass, Wrong::pass},
      {"not the best match, the first", "library/alpine", "ghcr.io/*", Answer::filter,
       Missing::pass, Wrong::pass},
  };
  for (const Row& row : rows) {
    CAPTURE(row.why);
    std::string rule;
    const ImageName image{.upstream = "ghcr.io", .repository = *Repository::parse(row.repository)};
    const VerdictPolicy policy = policy_for(settings, image, &rule);
    CHECK(rule == row.rule);
    CHECK(policy.answer == row.answer);
    CHECK(policy.missing == row.missing);
    CHECK(policy.wrong == row.wrong);
    CHECK(policy.allow == settings.policy.allow);
    CHECK(policy_for(settings, image).answer == row.answer);
  }

  const auto alpine = *Repository::parse("library/alpine");
  const auto all = policy_for(settings, {.upstream = "docker.io", .repository = alpine});
  CHECK(all.answer == Answer::resolve);
  CHECK(all.missing == Missing::pass);
  CHECK(all.wrong == Wrong::warn);

  std::string none = "as it was";
  const auto app = *Repository::parse("team/app");
  const auto general = policy_for(settings, {.upstream = "docker.io", .repository = app}, &none);
  CHECK(none == "as it was");
  CHECK(general.answer == Answer::filter);
  CHECK(general.missing == Missing::refuse);
  CHECK(general.wrong == Wrong::refuse);
  REQUIRE(general.allow.size() == 1);
}

}  // namespace
}  // namespace archway::proxy
