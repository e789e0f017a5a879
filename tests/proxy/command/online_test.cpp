#include "proxy/command/online.hpp"

#include "tests/support/scripted_upstream.hpp"

#include <doctest/doctest.h>
#include <string>

namespace archway::proxy {
namespace {

using test::ScriptedUpstream;

Settings::Upstream upstream_of(const std::string& name, const std::string& url) {
  Settings::Upstream upstream;
  upstream.name = name;
  upstream.url = *resolver::Url::parse(url);
  return upstream;
}

VirtualImage::Member member_of(const char* platform, const std::string& upstream,
                               const char* repository, const char* reference = nullptr) {
  VirtualImage::Member member{
      .platform = *Platform::parse(platform),
      .image = {.upstream = upstream, .repository = *Repository::parse(repository)}};
  if (reference != nullptr) member.reference = *parse_reference(reference);
  return member;
}

VirtualImage image_of(const std::string& upstream, const char* tag,
                      std::vector<VirtualImage::Member> members) {
  VirtualImage image{
      .name = {.upstream = upstream, .repository = *Repository::parse("username/test")},
      .tag = std::nullopt,
      .members = std::move(members)};
  if (tag != nullptr) image.tag = *Tag::parse(tag);
  return image;
}

TEST_CASE("every upstream is asked for its API") {
  struct Row {
    const char* why;
    unsigned status;
    bool credentials;
    const char* error;
  };
  const Row rows[] = {
      {"it answers", 200, false, ""},
      {"it takes the credentials", 200, true, ""},
      {"it wants credentials, and none are configured", 401, false, ""},
      {"it refuses the credentials", 403, true, "test.registry refuses the credentials"},
      {"it fails", 503, false, "test.registry"},
      {"it is no registry", 404, false, "test.registry"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.why);
    ScriptedUpstream registry;
    registry.on("/v2/").answer(row.status);
    Settings settings;
    settings.upstreams = {upstream_of("test.registry", registry.url())};
    if (row.credentials) {
      settings.upstreams[0].credentials = {{.username = "me", .password = "s3cret"}};
    }
    const auto answers = ask_online(settings);
    REQUIRE(answers);
    REQUIRE(answers->upstreams.size() == 1);
    const auto& answer = answers->upstreams[0];
    CHECK(answer.name == "test.registry");
    CHECK(answer.url == registry.url() + "/");
    CHECK(answer.error.has_value() == (*row.error != '\0'));
    if (answer.error) CHECK(answer.error->message.find(row.error) != std::string::npos);
  }
}

TEST_CASE("credentials are sent where they are asked for, and nowhere else") {
  ScriptedUpstream registry;
  registry.guard("/v2/", "Basic bWU6czNjcmV0", "Basic realm=\"here\"");
  registry.on("/v2/").answer(200);
  ScriptedUpstream open;
  open.on("/v2/").answer(200);
  Settings settings;
  settings.upstreams = {upstream_of("a.lan", registry.url()), upstream_of("b.lan", open.url())};
  settings.upstreams[0].credentials = {{.username = "me", .password = "s3cret"}};
  const auto answers = ask_online(settings);
  REQUIRE(answers);
  CHECK_FALSE(answers->upstreams[0].error.has_value());
  CHECK_FALSE(answers->upstreams[1].error.has_value());
  for (const auto& request : open.requests()) CHECK(request.header("Authorization").empty());
  settings.upstreams[0].credentials[0].password = "wrong";
  const auto refused = ask_online(settings);
  REQUIRE(refused);
  REQUIRE(refused->upstreams[0].error.has_value());
  CHECK(refused->upstreams[0].error->message.find("s3cret") == std::string::npos);
}

TEST_CASE("every member is looked for where it is configured to be") {
  ScriptedUpstream registry;
  const std::string digest = "sha256:" + std::string(64, 'a');
  registry.on("/v2/").answer(200);
  registry.on("/v2/username/one/manifests/1").answer(200);
  registry.on("/v2/username/two/manifests/stable").answer(200);
  registry.on("/v2/username/three/manifests/" + digest).answer(200);
  registry.on("/v2/username/four/tags/list").answer(200).json(R"({"tags":["1"]})");
  Settings settings;
  settings.upstreams = {upstream_of("a.lan", registry.url())};
  settings.images = {image_of("a.lan", "1",
                              {member_of("linux/amd64", "a.lan", "username/one"),
                               member_of("linux/arm64", "a.lan", "username/two", "stable"),
                               member_of("linux/386", "a.lan", "username/three", digest.c_str()),
                               member_of("linux/s390x", "a.lan", "username/gone"),
                               member_of("linux/ppc64le", "b.lan", "username/elsewhere")}),
                     image_of("a.lan", nullptr,
                              {member_of("linux/amd64", "a.lan", "username/four"),
                               member_of("linux/arm64", "a.lan", "username/five")})};
  const auto answers = ask_online(settings);
  REQUIRE(answers);
  struct Row {
    const char* image;
    const char* platform;
    std::string member;
    bool there;
  };
  const Row rows[] = {
      {"a.lan/username/test:1", "linux/amd64", "a.lan/username/one", true},
      {"a.lan/username/test:1", "linux/arm64", "a.lan/username/two:stable", true},
      {"a.lan/username/test:1", "linux/386", "a.lan/username/three@" + digest, true},
      {"a.lan/username/test:1", "linux/s390x", "a.lan/username/gone", false},
      {"a.lan/username/test:1", "linux/ppc64le", "b.lan/username/elsewhere", false},
      {"a.lan/username/test", "linux/amd64", "a.lan/username/four", true},
      {"a.lan/username/test", "linux/arm64", "a.lan/username/five", false}};
  REQUIRE(answers->members.size() == std::size(rows));
  for (std::size_t i = 0; i < std::size(rows); ++i) {
    const Row& row = rows[i];
    const MemberAnswer& answer = answers->members[i];
    CAPTURE(row.member);
    CHECK(answer.image == row.image);
    CHECK(answer.platform == row.platform);
    CHECK(answer.member == row.member);
    CHECK(answer.error.has_value() == !row.there);
  }
  CHECK(answers->members[4].error->message == "b.lan is no upstream of this configuration");
  CHECK(registry.count("HEAD", "/v2/username/one/manifests/1") == 1);
}

TEST_CASE("members are not waited for where the upstream cannot be reached") {
  std::string nobody;
  {
    const ScriptedUpstream gone;
    nobody = gone.url();
  }
  Settings settings;
  settings.upstreams = {upstream_of("a.lan", nobody)};
  settings.images = {image_of("a.lan", "1", {member_of("linux/amd64", "a.lan", "username/one")})};
  const auto answers = ask_online(settings);
  REQUIRE(answers);
  REQUIRE(answers->upstreams[0].error.has_value());
  CHECK(answers->upstreams[0].error->code == Errc::upstream_unreachable);
  REQUIRE(answers->members[0].error.has_value());
  CHECK(answers->members[0].error->message == answers->upstreams[0].error->message);
}

TEST_CASE("without upstreams nothing is asked; a CA file that is none is an error") {
  CHECK(ask_online(Settings())->upstreams.empty());
  Settings settings;
  settings.upstreams = {upstream_of("a.lan", "https://127.0.0.1:1")};
  settings.upstreams[0].ca_file = "/nowhere/ca.pem";
  const auto answers = ask_online(settings);
  REQUIRE_FALSE(answers);
  CHECK(answers.error().code == Errc::configuration_invalid);
}

}  // namespace
}  // namespace archway::proxy
