#include "resolver/rewrite.hpp"

#include <doctest/doctest.h>
#include <string>

using namespace archway::resolver;
using archway::Errc;
using archway::ImageName;
using archway::Repository;
using archway::Tag;

namespace {

UpstreamNames names() {
  return {.entries = {{.name = "docker.io", .aliases = {"index.docker.io"}, .adds_library = true},
                      {.name = "ghcr.io"},
                      {.name = "registry.lan:5000"}},
          .default_name = "docker.io"};
}

ImageName image(const char* upstream, const std::string& repository) {
  return {.upstream = upstream, .repository = *Repository::parse(repository)};
}

/// `name[:tag] [(by)]`, to compare with; ` !` where there is a problem.
std::string shown(const Rewriter::Rewritten& result) {
  std::string text = result.image.str();
  if (result.tag) text += ":" + result.tag->str();
  if (!result.by.empty()) text += " (" + result.by + ")";
  return result.problem.empty() ? text : text + " !";
}

Rewriter rewriter(std::vector<RewriteRule> rules, bool organisations = false) {
  auto made = Rewriter::make(std::move(rules), organisations, names());
  REQUIRE_MESSAGE(made, (made ? "" : made.error().message));
  return *std::move(made);
}

std::string applied(const Rewriter& rules, const ImageName& name, const char* tag = nullptr) {
  return shown(rules.apply(name, tag == nullptr ? std::nullopt : std::optional(*Tag::parse(tag))));
}

}  // namespace

TEST_CASE("a rule makes another name of the whole name, or another tag of name and tag") {
  struct Row {
    std::string why;
    RewriteRule rule;
    const char* repository;  // of docker.io
    const char* tag;         // nullptr: none
    std::string want;
  };
  const std::string by_name = " (rule 1: docker.io/(.*)-(arm64|amd64))";
  const RewriteRule suffix{"docker.io/(.*)-(arm64|amd64)", "docker.io/$1"};
  const RewriteRule tag_suffix{"(.*):(.*)-(arm64|amd64)", "$1:$2"};
  const std::string by_tag = " (rule 1: (.*):(.*)-(arm64|amd64))";
  const Row rows[] = {
      {"a name", suffix, "user/app-arm64", nullptr, "docker.io/user/app" + by_name},
      {"a name; the tag stays", suffix, "user/app-arm64", "1-arm64",
       "docker.io/user/app:1-arm64" + by_name},
      {"the whole of it, not a part", suffix, "user/app-arm64/x", "1",
       "docker.io/user/app-arm64/x:1"},
      {"no match", suffix, "user/app", "1", "docker.io/user/app:1"},
      {"a tag", tag_suffix, "user/app", "1.4-arm64", "docker.io/user/app:1.4" + by_tag},
      {"a tag rule without a tag", tag_suffix, "user/app", nullptr, "docker.io/user/app"},
      {"a tag rule on another tag", tag_suffix, "user/app", "1.4", "docker.io/user/app:1.4"},
      {"another upstream",
       {"docker.io/mirrors/(.*)", "ghcr.io/$1"},
       "mirrors/org/app",
       "1",
       "ghcr.io/org/app:1 (rule 1: docker.io/mirrors/(.*))"},
      {"an upstream with a port",
       {"docker.io/(.*)", "registry.lan:5000/hub/$1"},
       "a/b",
       "1",
       "registry.lan:5000/hub/a/b:1 (rule 1: docker.io/(.*))"},
      {"another name of an upstream",
       {"docker.io/x/(.*)", "index.docker.io/y/$1"},
       "x/a",
       "1",
       "docker.io/y/a:1 (rule 1: docker.io/x/(.*))"},
      {"Docker Hub's own images",
       {"docker.io/arm64v8/(.*)", "docker.io/$1"},
       "arm64v8/alpine",
       "3",
       "docker.io/library/alpine:3 (rule 1: docker.io/arm64v8/(.*))"},
      {"braces around a capture",
       {"docker.io/(x)/(.*)", "docker.io/${2}1/${1}"},
       "x/a",
       "1",
       "docker.io/a1/x:1 (rule 1: docker.io/(x)/(.*))"},
      {"a capture that took no part",
       {"docker.io/(a)?x/(.*)", "docker.io/$1b/$2"},
       "x/c",
       "1",
       "docker.io/b/c:1 (rule 1: docker.io/(a)?x/(.*))"},
      {"no capture",
       {"docker.io/old/app", "ghcr.io/new/app"},
       "old/app",
       "1",
       "ghcr.io/new/app:1 (rule 1: docker.io/old/app)"},
      {"the same name", {"docker.io/(.*)", "docker.io/$1"}, "a/b", "1", "docker.io/a/b:1"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    CHECK(applied(rewriter({row.rule}), image("docker.io", row.repository), row.tag) == row.want);
  }
}

TEST_CASE("what a rule makes must be a name that is configured, and keep the name of a tag") {
  struct Row {
    std::string why;
    RewriteRule rule;
    std::string problem;
  };
  const std::string front = "rule 1: ";
  const Row rows[] = {
      {"an upstream that is not configured",
       {"docker.io/(.*)/app", "$1/app"},
       "rule 1: docker.io/(.*)/app makes \"user/app\", which cannot be used: the registry \"user\" "
       "is not configured as an upstream of this archway; it has docker.io, ghcr.io, "
       "registry.lan:5000"},
      {"no repository's name", {"docker.io/(.*)/app", "docker.io/$1//app"}, "between slashes"},
      {"a tag for a rule of names", {"docker.io/(.*)/app", "docker.io/$1/app:1"}, "lower-case"},
      {"another name for a rule of tags",
       {"docker.io/(.*):(.*)-arm64", "docker.io/x/$1:$2"},
       "rule 1: docker.io/(.*):(.*)-arm64 makes \"docker.io/x/user/app:1\", which cannot be used: "
       "a rule for name and tag may change the tag alone, because the parts of an image are asked "
       "for under its name without the tag"},
      {"no tag for a rule of tags", {"docker.io/(.*):(.*)-arm64", "docker.io/$1"}, "not a tag"},
      {"an upstream that is not configured, for a tag",
       {"docker.io/(.*):(.*)-arm64", "$2/$1:1"},
       "\"1\" is not configured"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    const auto result =
        rewriter({row.rule}, true).apply(image("docker.io", "user/app"), *Tag::parse("1-arm64"));
    CHECK(result.image == image("docker.io", "user/app"));
    CHECK(result.tag->str() == "1-arm64");
    CHECK(result.by.empty());
    CAPTURE(result.problem);
    CHECK(result.problem.starts_with(front));
    CHECK(result.problem.find(row.problem) != std::string::npos);
  }
}

TEST_CASE("the first rule that matches decides, and none is applied to what another made") {
  const auto rules = rewriter({{"docker.io/a/(.*)", "docker.io/b/$1"},
                               {"docker.io/b/(.*)", "docker.io/a/$1"},
                               {"docker.io/a/(.*):(.*)", "docker.io/a/$1:never"},
                               {"docker.io/keep/.*", "docker.io/keep/app"},
                               {"docker.io/keep/.*", "docker.io/lost/app"},
                               {"docker.io/bad/(.*)", "docker.io/$1/"},
                               {"docker.io/bad/(.*)", "docker.io/good/$1"}});
  CHECK(applied(rules, image("docker.io", "a/x"), "1") ==
        "docker.io/b/x:1 (rule 1: docker.io/a/(.*))");
  CHECK(applied(rules, image("docker.io", "b/x"), "1") ==
        "docker.io/a/x:1 (rule 2: docker.io/b/(.*))");
  CHECK(applied(rules, image("docker.io", "keep/app"), "1") == "docker.io/keep/app:1");
  CHECK(applied(rules, image("docker.io", "bad/x"), "1") == "docker.io/bad/x:1 !");
}

TEST_CASE("Docker Hub's organisations for one architecture lead to the official images") {
  const auto built_in = rewriter({}, true);
  for (const std::string organisation :
       {"amd64", "arm32v5", "arm32v6", "arm32v7", "arm64v8", "i386", "mips64le", "ppc64le",
        "riscv64", "s390x", "winamd64", "windows-amd64"}) {
    CAPTURE(organisation);
    const auto name = image("docker.io", organisation + "/alpine");
    CHECK(applied(built_in, name, "3") == "docker.io/library/alpine:3 (architecture organisation)");
    CHECK(applied(built_in, name) == "docker.io/library/alpine (architecture organisation)");
    CHECK(applied(rewriter({}, false), name, "3") == name.str() + ":3");
    CHECK(applied(Rewriter(), name, "3") == name.str() + ":3");
  }
  struct Row {
    std::string why;
    ImageName name;
  };
  const Row rows[] = {
      {"another organisation", image("docker.io", "user/alpine")},
      {"one that starts alike", image("docker.io", "amd64x/alpine")},
      {"the organisation alone", image("docker.io", "amd64")},
      {"more parts", image("docker.io", "amd64/a/b")},
      {"in a later part", image("docker.io", "a/amd64/b")},
      {"another registry", image("ghcr.io", "amd64/alpine")},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    CHECK(applied(built_in, row.name, "3") == row.name.str() + ":3");
  }
}

TEST_CASE("the organisations come after the rules, and only where none matched") {
  const auto rules = rewriter({{"docker.io/amd64/(alpine)", "docker.io/amd64/$1"},
                               {"docker.io/amd64/(busybox):(.*)-x", "docker.io/amd64/$1:$2"},
                               {"docker.io/i386/(.*)", "docker.io/$1/"}},
                              true);
  CHECK(applied(rules, image("docker.io", "amd64/alpine"), "3") == "docker.io/amd64/alpine:3");
  CHECK(applied(rules, image("docker.io", "amd64/busybox"), "1-x") ==
        "docker.io/amd64/busybox:1 (rule 2: docker.io/amd64/(busybox):(.*)-x)");
  CHECK(applied(rules, image("docker.io", "i386/alpine"), "3") == "docker.io/i386/alpine:3 !");
  CHECK(applied(rules, image("docker.io", "amd64/golang"), "1") ==
        "docker.io/library/golang:1 (architecture organisation)");
}

TEST_CASE("a pattern that takes too long is given up, and says so") {
  const auto rules = rewriter({{"docker.io/user/((a|aa|a.)+)+x", "docker.io/user/app"},
                               {"docker.io/user/(a+)", "docker.io/user/b"}});
  const auto name = image("docker.io", "user/" + std::string(200, 'a'));
  const auto result = rules.apply(name, std::nullopt);
  CHECK(result.image.str() == "docker.io/user/b");
  CHECK(result.problem.starts_with("rule 1: docker.io/user/((a|aa|a.)+)+x was given up for"));
}

TEST_CASE("a rule that can never work is refused at the start, with what is wrong") {
  struct Row {
    std::string why;
    RewriteRule rule;
    std::string says;
  };
  const Row rows[] = {
      {"no pattern", {"", "docker.io/a"}, "rewrite rule 2 (\"\") has no \"from\""},
      {"no result", {"docker.io/a", ""}, "rewrite rule 2 (\"docker.io/a\") has no \"to\""},
      {"no regular expression",
       {"docker.io/(a", "docker.io/a/b"},
       "rewrite rule 2 (\"docker.io/(a\") is not a regular expression: Unmatched marking"},
      {"a repeat of nothing", {"*", "docker.io/a/b"}, "is not a regular expression: "},
      {"a capture that is not there",
       {"docker.io/(.*)", "docker.io/$1/$2"},
       "has $2 in \"to\", but its pattern captures only 1"},
      {"a capture of nothing",
       {"docker.io/.*", "docker.io/${1}"},
       "has $1 in \"to\", but its pattern captures nothing"},
      {"the whole match", {"docker.io/(.*)", "docker.io/$0"}, "neither $1"},
      {"a dollar sign alone", {"docker.io/(.*)", "docker.io/a$"}, "neither $1"},
      {"a brace that is not closed", {"docker.io/(.*)", "docker.io/${1"}, "neither $1"},
      {"a name in braces", {"docker.io/(?<x>.*)", "docker.io/${x}"}, "neither $1"},
      {"a dollar sign in a name", {"docker.io/(.*)", "docker.io/a$$b"}, "no image's name"},
      {"an upstream that is not configured",
       {"docker.io/(.*)", "quay.io/$1"},
       "makes what is no image's name: the registry \"quay.io\" is not configured"},
      {"no upstream", {"docker.io/(.*)", "app"}, "the registry \"app\" is not configured"},
      {"no repository", {"docker.io/(.*)", "docker.io/"}, "no image's name"},
      {"a name in capitals", {"docker.io/(.*)", "docker.io/App"}, "lower-case"},
      {"a tag that is none", {"(.*):(.*)", "docker.io/a/b:-"}, "not a tag"},
      {"a long pattern", {std::string(256, 'a'), "docker.io/a/b"}, "is longer than 255 characters"},
      {"a long result", {"a", "docker.io/" + std::string(256, 'a')}, "is longer than 255"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    const auto made = Rewriter::make({{"docker.io/a", "docker.io/b"}, row.rule}, false, names());
    REQUIRE(!made);
    CHECK(made.error().code == Errc::configuration_invalid);
    CAPTURE(made.error().message);
    CHECK(made.error().message.find(row.says) != std::string::npos);
  }
}

TEST_CASE("rules whose result depends on the name are taken as they are") {
  CHECK(Rewriter::make({{"(.*)/(.*)", "$1/x/$2"}}, false, names()));
  CHECK(Rewriter::make({{"(.*):(.*)-x", "$1:$2"}}, false, names()));
  CHECK(Rewriter::make({{"docker.io/a:1", "docker.io/a:2"}}, false, names()));
  CHECK(Rewriter::make({{"(.*)", "registry.lan:5000/$1"}}, false, names()));
}
