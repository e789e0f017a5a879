// One name for images that were published apart.

#include "tests/integration/gateway.hpp"
#include "tests/integration/images.hpp"

#include <doctest/doctest.h>
#include <string>
#include <vector>

namespace archway::test {
namespace {

const std::string tag_path = manifest_path("username/test", "1");
const Headers arm64{{"Archway-Platform", "linux/arm64"}};
const Headers amd64{{"Archway-Platform", "linux/amd64"}};

ImageName name(const std::string& repository) {
  return {.upstream = "docker.io", .repository = *Repository::parse(repository)};
}

VirtualImage::Member member(const std::string& platform, const std::string& repository) {
  return {.platform = *Platform::parse(platform), .image = name(repository)};
}

struct Fixture {
  Fixture()
      : amd(make_image("linux/amd64", noise(1000, 1))),
        arm(make_image("linux/arm64", noise(1000, 2))),
        gateway(upstream) {
    publish(upstream, "username/test", amd);
    publish(upstream, "username/test", amd.manifest, "1");
    publish(upstream, "username/arm64v8-test", arm);
    publish(upstream, "username/arm64v8-test", arm.manifest, "1");
    gateway.settings.images = {{.name = name("username/test"),
                                .members = {member("linux/amd64", "username/test"),
                                            member("linux/arm64", "username/arm64v8-test")}}};
  }
  ScriptedUpstream upstream;
  Image amd;
  Image arm;
  Gateway gateway;
};

TEST_CASE_FIXTURE(Fixture, "each client gets its own image under the one name, layers and all") {
  gateway.start();
  for (const auto& image : {arm, amd}) {
    CAPTURE(image.platform);
    const Headers headers{{"Archway-Platform", image.platform}};
    const auto got = gateway.get(tag_path, headers);
    CHECK(got.body == image.manifest.bytes);
    CHECK(got.header("Docker-Content-Digest") == image.manifest.digest);
    CHECK(gateway.get(manifest_path("username/test", image.manifest.digest)).body ==
          image.manifest.bytes);
    CHECK(gateway.get(blob_path("username/test", digest_of(image.config))).body == image.config);
    CHECK(gateway.get(blob_path("username/test", digest_of(image.layer))).body == image.layer);
  }
  CHECK(upstream.count("GET", blob_path("username/arm64v8-test", digest_of(arm.layer))) == 1);
  CHECK(upstream.count("GET", blob_path("username/test", digest_of(arm.layer))) == 0);
}

TEST_CASE_FIXTURE(Fixture, "who states nothing gets the index, the same bytes every time") {
  gateway.start();
  const auto first = gateway.get(tag_path);
  CHECK(first.status == 200);
  CHECK(first.header("Content-Type") == "application/vnd.oci.image.index.v1+json");
  CHECK(first.header("Docker-Content-Digest") == digest_of(first.body));
  CHECK(first.header("Archway-Index").empty());
  for (const auto* image : {&amd, &arm}) {
    CHECK(first.body.find(image->manifest.digest) != std::string::npos);
  }
  CHECK(first.body.find(R"("architecture":"arm64")") != std::string::npos);
  const auto second = gateway.get(tag_path);
  CHECK(second.body == first.body);
  CHECK(second.header("Archway-Cache") == "hit");
  const auto by_digest =
      gateway.get(manifest_path("username/test", first.header("Docker-Content-Digest")));
  CHECK(by_digest.body == first.body);
  CHECK(gateway.get(tag_path, arm64).header("Archway-Index") ==
        first.header("Docker-Content-Digest"));
  CHECK(gateway.head(tag_path).header("Content-Length") == std::to_string(first.body.size()));

  Gateway another(upstream);
  another.settings.images = gateway.settings.images;
  another.start();
  CHECK(another.get(tag_path).body == first.body);
}

TEST_CASE_FIXTURE(Fixture, "a child is found by its digest although nobody asked for the tag") {
  gateway.start();
  CHECK(gateway.get(manifest_path("username/test", arm.manifest.digest)).body ==
        arm.manifest.bytes);
  CHECK(gateway.get(blob_path("username/test", digest_of(arm.layer))).body == arm.layer);
  const auto unknown = "sha256:" + std::string(64, '0');
  const auto nowhere = gateway.get(blob_path("username/test", unknown));
  CHECK(nowhere.status == 404);
  CHECK(nowhere.body.find("docker.io/username/arm64v8-test") != std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "a member that is an index gives the manifest for its platform") {
  const auto other = make_image("linux/arm64", noise(1000, 3));
  const auto old = make_image("linux/amd64", noise(1000, 4));
  for (const auto& image : {other, old}) publish(upstream, "username/both", image);
  publish(upstream, "username/both", make_index({old, other}), "1");
  publish(upstream, "username/both", make_index({old}), "2");
  publish(upstream, "username/test", amd.manifest, "2");
  gateway.settings.images.front().members.back() = member("linux/arm64", "username/both");
  gateway.start();
  CHECK(gateway.get(tag_path, arm64).body == other.manifest.bytes);
  CHECK(gateway.get(blob_path("username/test", digest_of(other.layer))).body == other.layer);
  CHECK(gateway.get(tag_path).body.find(old.manifest.digest) == std::string::npos);
  // Tag 2 has nothing for arm64 there.
  const auto without = gateway.get(manifest_path("username/test", "2"));
  CHECK(without.status == 200);
  CHECK(without.body.find(R"("arm64")") == std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "a member without that tag is left out, and without any it is 404") {
  publish(upstream, "username/test", amd.manifest, "2");
  gateway.start();
  const auto half = gateway.get(manifest_path("username/test", "2"));
  CHECK(half.status == 200);
  CHECK(half.body.find(amd.manifest.digest) != std::string::npos);
  CHECK(half.body.find(arm.manifest.digest) == std::string::npos);
  const auto none = gateway.get(manifest_path("username/test", "3"));
  CHECK(none.status == 404);
  for (const std::string part :
       {"MANIFEST_UNKNOWN", "docker.io/username/test:3", "docker.io/username/arm64v8-test:3"}) {
    CAPTURE(part);
    CHECK(none.body.find(part) != std::string::npos);
  }
}

TEST_CASE_FIXTURE(Fixture,
                  "half an index never looks whole: a member that fails fails the request") {
  struct Row {
    std::string why;
    unsigned status;
    int want;
  };
  for (const auto& row : std::vector<Row>{
           {"an error of its own", 500, 502}, {"overload", 503, 503}, {"not for us", 403, 403}}) {
    CAPTURE(row.why);
    ScriptedUpstream failing;
    publish(failing, "username/test", amd);
    publish(failing, "username/test", amd.manifest, "1");
    failing.on(manifest_path("username/arm64v8-test", "1")).answer(row.status);
    Gateway one(failing);
    one.settings.images = gateway.settings.images;
    one.start();
    const auto got = one.get(tag_path, amd64);
    CHECK(got.status == row.want);
    CHECK(got.body.find("docker.io/username/arm64v8-test:1") != std::string::npos);
  }
}

TEST_CASE_FIXTURE(Fixture, "a failing upstream leaves the last good index in place") {
  std::string body;
  {
    gateway.settings.tags.fresh_for = std::chrono::seconds(0);
    gateway.start();
    body = gateway.get(tag_path).body;
    gateway.stop();
  }
  ScriptedUpstream failing;
  for (const auto* repository : {"username/test", "username/arm64v8-test"}) {
    failing.on(manifest_path(repository, "1")).answer(500);
  }
  Gateway later(failing, gateway.cache());
  later.settings.images = gateway.settings.images;
  later.settings.tags.fresh_for = std::chrono::seconds(0);
  later.start();
  const auto got = later.get(tag_path);
  CHECK(got.status == 200);
  CHECK(got.body == body);
  CHECK(got.header("Archway-Cache") == "stale");
}

TEST_CASE_FIXTURE(Fixture, "one tag may be virtual alone, with references of its own") {
  auto& image = gateway.settings.images.front();
  image = {.name = name("username/new"),
           .tag = *Tag::parse("all"),
           .members = {member("linux/amd64", "username/test"),
                       member("linux/arm64", "username/arm64v8-test")}};
  image.members[0].reference = Reference(*Tag::parse("1"));
  image.members[1].reference = Reference(*Digest::parse(arm.manifest.digest));
  const auto own = make_image("linux/amd64", noise(1000, 5));
  publish(upstream, "username/new", own);
  publish(upstream, "username/new", own.manifest, "2");
  upstream.on("/v2/username/new/tags/list").answer(200).json(R"({"name":"x","tags":["2"]})");
  gateway.start();
  CHECK(gateway.get(manifest_path("username/new", "all"), arm64).body == arm.manifest.bytes);
  CHECK(gateway.get(manifest_path("username/new", "all"), amd64).body == amd.manifest.bytes);
  CHECK(gateway.get(manifest_path("username/new", "2"), arm64).body == own.manifest.bytes);
  CHECK(gateway.get(blob_path("username/new", digest_of(own.layer))).body == own.layer);
  CHECK(gateway.get("/v2/username/new/tags/list").status == 200);
}

TEST_CASE_FIXTURE(Fixture, "policies hold for it as for any other index") {
  gateway.settings.policy.missing = resolver::VerdictPolicy::Missing::refuse;
  gateway.settings.policy_rules = {
      {.match = "docker.io/username/*", .answer = resolver::VerdictPolicy::Answer::filter}};
  gateway.start();
  const auto filtered = gateway.get(tag_path, arm64);
  CHECK(filtered.body.find(arm.manifest.digest) != std::string::npos);
  CHECK(filtered.body.find(amd.manifest.digest) == std::string::npos);
  CHECK(
      gateway.get(manifest_path("username/test", filtered.header("Docker-Content-Digest"))).body ==
      filtered.body);
  const auto refused = gateway.get(tag_path, {{"Archway-Platform", "linux/s390x"}});
  CHECK(refused.status == 403);
  CHECK(refused.body.find("docker.io/username/test:1") != std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "members for platforms that are not allowed are left out") {
  gateway.settings.policy.allow = {*Platform::parse("linux/amd64")};
  gateway.start();
  const auto got = gateway.get(tag_path);
  CHECK(got.body.find(amd.manifest.digest) != std::string::npos);
  CHECK(got.body.find(arm.manifest.digest) == std::string::npos);
  CHECK(upstream.count("HEAD", manifest_path("username/arm64v8-test", "1")) == 0);
}

TEST_CASE_FIXTURE(Fixture, "tags and referrers are those of the members") {
  upstream.on("/v2/username/test/tags/list").answer(200).json(R"({"name":"x","tags":["1"]})");
  const auto index = make_index({arm});
  upstream.on("/v2/username/arm64v8-test/referrers/" + arm.manifest.digest)
      .answer(200)
      .json(index.bytes);
  gateway.start();
  CHECK(gateway.get("/v2/username/test/tags/list").body ==
        R"({"name":"username/test","tags":["1"]})");
  CHECK(gateway.get("/v2/username/test/referrers/" + arm.manifest.digest).body == index.bytes);
  const auto none = gateway.get("/v2/username/test/referrers/sha256:" + std::string(64, '0'));
  CHECK(none.status == 200);
  CHECK(none.body.find(R"("manifests":[])") != std::string::npos);
}

}  // namespace
}  // namespace archway::test
