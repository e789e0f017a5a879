// `explain` says what the gateway then does, because both are decided by the same functions.

#include "tests/integration/images.hpp"
#include "tests/integration/inside.hpp"

#include <doctest/doctest.h>
#include <string>
#include <vector>

namespace archway::test {
namespace {

using Policy = resolver::VerdictPolicy;

ImageName name(const std::string& repository) {
  return {.upstream = "docker.io", .repository = *Repository::parse(repository)};
}

struct Registry {
  Registry()
      : amd(make_image("linux/amd64", noise(1000, 1))),
        arm(make_image("linux/arm64", noise(1000, 2))),
        v7(make_image("linux/arm/v7", noise(1000, 3))),
        z(make_image("linux/s390x", noise(1000, 4))),
        index(make_index({amd, v7, arm, z})) {
    for (const auto* repository :
         {"library/app", "strict/app", "kept/app", "signed/app", "team/app"}) {
      for (const auto& image : {amd, v7, arm, z}) publish(upstream, repository, image);
      publish(upstream, repository, index, "1");
    }
    for (const auto* repository : {"library/one", "strict/one"}) {
      publish(upstream, repository, arm);
      publish(upstream, repository, arm.manifest, "1");
    }
    publish(upstream, "username/test", amd);
    publish(upstream, "username/test", amd.manifest, "1");
    publish(upstream, "username/arm64v8-test", arm);
    publish(upstream, "username/arm64v8-test", arm.manifest, "1");
    upstream.on(manifest_path("library/broken", "1")).answer(500);
    upstream.on(manifest_path("library/secret", "1")).answer(403);
  }
  ScriptedUpstream upstream;
  Image amd;
  Image arm;
  Image v7;
  Image z;
  Document index;
};

void configure(proxy::Settings& settings) {
  settings.policy.allow = {*Platform::parse("linux/amd64"), *Platform::parse("linux/arm64"),
                           *Platform::parse("linux/arm"), *Platform::parse("linux/riscv64")};
  settings.policy_rules = {{.match = "docker.io/strict/*",
                            .missing = Policy::Missing::refuse,
                            .wrong = Policy::Wrong::refuse},
                           {.match = "docker.io/kept/*", .answer = Policy::Answer::filter},
                           {.match = "docker.io/signed/*", .answer = Policy::Answer::pass}};
  settings.rewrite.architecture_organisations = true;
  settings.rewrite.rules = {{.from = "docker.io/(team/.*)-arm64", .to = "docker.io/$1"}};
  settings.images = {
      {.name = name("username/test"),
       .members = {
           {.platform = *Platform::parse("linux/amd64"), .image = name("username/test")},
           {.platform = *Platform::parse("linux/arm64"), .image = name("username/arm64v8-test")}}}};
  settings.platforms.hosts["pi.mirror.test"] = *Platform::parse("linux/arm/v7");
  settings.platforms.certificates["node"] = *Platform::parse("linux/arm64");
}

/// As it stands in the JSON of an error document.
std::string in_json(const std::string& message) {
  std::string text;
  for (const char c : message) {
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  return text;
}

void check_agreement(const proxy::Explanation& why, const Answer& head, const Answer& get) {
  CHECK(why.status == head.status);
  CHECK(why.status == get.status);
  CHECK(why.digest == get.header("Docker-Content-Digest"));
  CHECK(why.digest == head.header("Docker-Content-Digest"));
  CHECK(why.index == get.header("Archway-Index"));
  CHECK(why.warning.empty() == get.header("Warning").empty());
  if (why.status == 200) {
    CHECK(why.media_type == get.header("Content-Type"));
    CHECK(why.size == get.body.size());
    const auto platform =
        why.client.platform
            ? why.client.platform->str() + "; by=" + std::string(resolver::name(why.client.source))
            : std::string();
    CHECK(platform == get.header("Archway-Platform"));
  } else {
    CHECK(get.body.find("\"" + why.error_code + "\"") != std::string::npos);
    CHECK(get.body.find("\"" + in_json(why.message) + "\"") != std::string::npos);
  }
}

struct Row {
  std::string why;
  std::string target;
  Headers headers;
  int status;
  std::string verdict;
};

std::vector<Row> rows(const Registry& registry) {
  const std::string image_only = "application/vnd.oci.image.manifest.v1+json";
  const Headers arm{{"Archway-Platform", "linux/arm64"}};
  const Headers z{{"Archway-Platform", "linux/s390x"}};
  const Headers riscv{{"Archway-Platform", "linux/riscv64"}};
  const auto by_digest = [](const char* repository, const Image& image) {
    return manifest_path(repository, image.manifest.digest);
  };
  return {
      {"nobody says anything", manifest_path("app", "1"), {}, 200, "pass"},
      {"a header", manifest_path("app", "1"), arm, 200, "child"},
      {"docker's header",
       manifest_path("app", "1"),
       {{"X-Meta-Archway-Platform", "arm64"}},
       200,
       "child"},
      {"a path", "/v2/platform/linux-arm-v7/docker.io/library/app/manifests/1", {}, 200, "child"},
      {"the other path", "/platform/linux-amd64/v2/app/manifests/1?ns=docker.io", {}, 200, "child"},
      {"a host name", manifest_path("app", "1"), {{"Host", "pi.mirror.test:1"}}, 200, "child"},
      {"a hint",
       manifest_path("app", "1"),
       {{"User-Agent", "docker/28.0 os/linux arch/amd64"}},
       200,
       "pass"},
      {"a hint of one that cannot choose",
       manifest_path("app", "1"),
       {{"User-Agent", "docker/20.10 os/linux arch/amd64"}, {"Accept", image_only}},
       200,
       "child"},
      {"the default", manifest_path("app", "1"), {{"Accept", image_only}}, 200, "child"},
      {"rule and hint differ",
       manifest_path("app", "1"),
       {{"Host", "pi.mirror.test"}, {"User-Agent", "docker/28.0 os/linux arch/amd64"}},
       200,
       "pass"},
      {"a header that is none", manifest_path("app", "1"), {{"Archway-Platform", "a!"}}, 400, ""},
      {"nothing fits", manifest_path("app", "1"), riscv, 200, "pass"},
      {"nothing fits, strictly", manifest_path("strict/app", "1"), riscv, 403, "refuse"},
      {"not allowed", manifest_path("app", "1"), z, 403, "refuse"},
      {"filter", manifest_path("kept/app", "1"), arm, 200, "filter"},
      {"pass", manifest_path("signed/app", "1"), arm, 200, "pass"},
      {"one image, right", manifest_path("one", "1"), arm, 200, "pass"},
      {"one image, wrong", manifest_path("one", "1"), riscv, 200, "pass"},
      {"one image, wrong, strictly", manifest_path("strict/one", "1"), riscv, 403, "refuse"},
      {"an architecture's organisation", manifest_path("arm64v8/app", "1"), arm, 200, "child"},
      {"a rule", manifest_path("team/app-arm64", "1"), arm, 200, "child"},
      {"a rewritten name that is not there", manifest_path("arm64v8/no", "1"), arm, 404, ""},
      {"a virtual image", manifest_path("username/test", "1"), arm, 200, "child"},
      {"a virtual image's index", manifest_path("username/test", "1"), {}, 200, "pass"},
      {"a virtual image without that tag", manifest_path("username/test", "2"), arm, 404, ""},
      {"an index by digest", manifest_path("library/app", registry.index.digest), arm, 200, ""},
      {"a child by digest", by_digest("library/app", registry.arm), {}, 200, ""},
      {"a child that is not allowed", by_digest("library/app", registry.z), {}, 403, "refuse"},
      {"a rewritten name by digest", by_digest("arm64v8/app", registry.v7), {}, 200, ""},
      {"a member's child by digest", by_digest("username/test", registry.arm), {}, 200, ""},
      {"a digest that nobody has",
       manifest_path("arm64v8/app", "sha256:" + std::string(64, '0')),
       {},
       404,
       ""},
      {"no such tag", manifest_path("app", "9"), {}, 404, ""},
      {"an upstream's error", manifest_path("library/broken", "1"), {}, 502, ""},
      {"an upstream's no", manifest_path("library/secret", "1"), {}, 403, ""},
      {"an upstream that is not configured", "/v2/evil.test/x/manifests/1", {}, 404, ""},
      {"a name that is none", "/v2/library/APP/manifests/1", {}, 400, ""},
  };
}

TEST_CASE("an explanation agrees with what the gateway then does") {
  Registry registry;
  Gateway gateway(registry.upstream);
  configure(gateway.settings);
  gateway.start();
  Inside inside(gateway.settings);
  const auto table = rows(registry);
  CHECK(table.size() >= 20);
  for (const auto& row : table) {
    CAPTURE(row.why);
    const auto why = inside.explain(row.target, row.headers);
    CAPTURE(why.message);
    CHECK(why.status == row.status);
    CHECK(why.verdict == row.verdict);
    check_agreement(why, gateway.head(row.target, row.headers),
                    gateway.get(row.target, row.headers));
    const auto again = inside.explain(row.target, row.headers);
    CHECK(proxy::explanation_json(again).size() > 0);
    CHECK(again.digest == why.digest);
    if (again.status == 200) CHECK(again.cached);
  }
}

TEST_CASE("every step of a decision is told") {
  Registry registry;
  Gateway gateway(registry.upstream);
  configure(gateway.settings);
  Inside inside(gateway.settings);
  const auto why =
      inside.explain(manifest_path("team/app-arm64", "1"), {{"Archway-Platform", "linux/arm64"}});
  CHECK(why.asked == "docker.io/team/app-arm64:1");
  CHECK(why.image == "docker.io/team/app:1");
  CHECK(why.rewritten.find("rule 1") != std::string::npos);
  CHECK_FALSE(why.virtual_image);
  CHECK(why.client.source == resolver::PlatformSource::header);
  CHECK(why.ladder.front() == "linux/arm64");
  CHECK(why.ladder.back() == "linux/arm/v5");
  CHECK(why.policy.allow.size() == 4);
  CHECK(why.policy_rule.empty());
  CHECK(why.tag_digest == registry.index.digest);
  CHECK(why.tag_outcome == "miss");
  REQUIRE(why.entries.size() == 4);
  CHECK(why.entries[2].note.starts_with("fits, 1st"));
  CHECK(why.entries[3].note.find("allow") != std::string::npos);
  CHECK(why.reason == "exact");
  CHECK(why.digest == registry.arm.manifest.digest);
  CHECK_FALSE(why.cached);
  REQUIRE(why.parts.size() == 2);
  CHECK(why.parts[0].kind == "config");
  CHECK(why.parts[1].kind == "layer");
  CHECK(why.parts[1].digest == digest_of(registry.arm.layer));
  CHECK(why.parts[1].size == registry.arm.layer.size());
  CHECK_FALSE(why.parts[1].cached);
  CHECK(registry.upstream.count("GET", blob_path("team/app", why.parts[1].digest)) == 0);
  CHECK(inside.explain(manifest_path("kept/app", "1")).policy_rule == "docker.io/kept/*");
}

TEST_CASE("what was here before is told from what the explanation itself fetched") {
  Registry registry;
  Gateway gateway(registry.upstream);
  configure(gateway.settings);
  const Headers arm{{"Archway-Platform", "linux/arm64"}};
  struct Cold {
    std::string why;
    std::string target;
  };
  for (const auto& row : std::vector<Cold>{
           {"a child", manifest_path("app", "1")},
           {"a member's child", manifest_path("username/test", "1")},
           {"a filtered index", manifest_path("kept/app", "1")},
           {"an index as it is", manifest_path("signed/app", "1")},
           {"one image, whose config was read for it", manifest_path("strict/one", "1")}}) {
    CAPTURE(row.why);
    Inside fresh(gateway.settings);
    const auto cold = fresh.explain(row.target, arm);
    CHECK(cold.status == 200);
    CHECK_FALSE(cold.cached);
    for (const auto& part : cold.parts) CHECK_FALSE(part.cached);
    CHECK(fresh.explain(row.target, arm).cached);
  }
}

TEST_CASE("a virtual image and what a client emulates are told") {
  Registry registry;
  Gateway gateway(registry.upstream);
  configure(gateway.settings);
  gateway.settings.platforms.clients.push_back({.from = *resolver::Network::parse("127.0.0.0/8"),
                                                .platform = *Platform::parse("linux/riscv64"),
                                                .emulates = {*Platform::parse("linux/arm64")}});
  Inside inside(gateway.settings);
  const auto why = inside.explain(manifest_path("username/test", "1"));
  REQUIRE(why.virtual_image);
  CHECK(why.virtual_image->members.size() == 2);
  CHECK(why.client.source == resolver::PlatformSource::address);
  CHECK(why.ladder == std::vector<std::string>{"linux/riscv64", "linux/arm64 (emulated)"});
  CHECK(why.reason == "emulated");
  CHECK(why.digest == registry.arm.manifest.digest);
}

TEST_CASE("only requests for manifests are explained") {
  Registry registry;
  Gateway gateway(registry.upstream);
  Inside inside(gateway.settings);
  for (const std::string target : {"/v2/", "/v2/library/app/tags/list"}) {
    CAPTURE(target);
    const auto why = inside.explain(target);
    CHECK(why.status == 400);
    CHECK(why.message.find("manifest") != std::string::npos);
  }
  CHECK(registry.upstream.requests().empty());
}

}  // namespace
}  // namespace archway::test
