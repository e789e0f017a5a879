// Names for one architecture become names for all; digests stay what they are.

#include "tests/integration/gateway.hpp"
#include "tests/integration/images.hpp"

#include <doctest/doctest.h>
#include <string>
#include <vector>

namespace archway::test {
namespace {

struct Registry {
  Registry()
      : amd64(make_image("linux/amd64", noise(1000, 1))),
        arm64(make_image("linux/arm64/v8", noise(1000, 2))),
        index(make_index({amd64, arm64})) {
    for (const auto* repository : {"library/app", "team/app"}) {
      publish(upstream, repository, amd64);
      publish(upstream, repository, arm64);
      publish(upstream, repository, index, "1");
    }
  }
  ScriptedUpstream upstream;
  Image amd64;
  Image arm64;
  Document index;
};

struct Fixture {
  Fixture() : gateway(registry.upstream) {
    gateway.settings.rewrite.architecture_organisations = true;
    gateway.settings.rewrite.rules = {
        {.from = "docker.io/(team/.*)-(arm64|amd64)", .to = "docker.io/$1"},
        {.from = "docker.io/(.*):(.*)-(arm64|amd64)", .to = "docker.io/$1:$2"}};
  }
  Registry registry;
  Gateway gateway;
};

TEST_CASE_FIXTURE(Fixture, "rules turn a name for one architecture into the client's own") {
  struct Row {
    std::string why;
    std::string repository;
    std::string tag;
  };
  const std::vector<Row> rows{
      {"one of Docker Hub's organisations", "arm64v8/app", "1"},
      {"the client's platform counts, not the name's", "amd64/app", "1"},
      {"the name ends with it", "team/app-amd64", "1"},
      {"the tag ends with it", "library/app", "1-amd64"},
  };
  gateway.start();
  for (const auto& row : rows) {
    CAPTURE(row.why);
    const auto path = manifest_path(row.repository, row.tag);
    const auto got = gateway.get(path, {{"Archway-Platform", "linux/arm64"}});
    CHECK(got.status == 200);
    CHECK(got.body == registry.arm64.manifest.bytes);
    CHECK(got.header("Archway-Index") == registry.index.digest);
    CHECK(gateway.get(path).body == registry.index.bytes);
    CHECK(registry.upstream.count("HEAD", path) == 0);  // The old name is nobody's business.
  }
}

TEST_CASE_FIXTURE(Fixture,
                  "an image's parts are found by digest under the name that was asked for") {
  gateway.start();
  const Headers arm64{{"Archway-Platform", "linux/arm64"}};
  for (const std::string repository : {"arm64v8/app", "team/app-arm64"}) {
    CAPTURE(repository);
    CHECK(gateway.get(manifest_path(repository, "1"), arm64).status == 200);
    const auto& image = registry.arm64;
    CHECK(gateway.get(manifest_path(repository, image.manifest.digest)).body ==
          image.manifest.bytes);
    for (const auto& bytes : {image.config, image.layer}) {
      CHECK(gateway.get(blob_path(repository, digest_of(bytes))).body == bytes);
    }
  }
  for (const auto& request : registry.upstream.requests()) {
    CAPTURE(request.path);
    CHECK(request.path.find("arm64v8") == std::string::npos);
    CHECK(request.path.find("-arm64") == std::string::npos);
  }
}

TEST_CASE_FIXTURE(Fixture,
                  "what only the old name has is found there, and what nobody has is 404") {
  const auto pinned = make_image("linux/arm64", noise(1000, 7));
  publish(registry.upstream, "arm64v8/app", pinned);
  gateway.start();
  const auto manifest = manifest_path("arm64v8/app", pinned.manifest.digest);
  CHECK(gateway.get(manifest).body == pinned.manifest.bytes);
  CHECK(gateway.get(blob_path("arm64v8/app", digest_of(pinned.layer))).body == pinned.layer);
  CHECK(gateway.get(manifest).header("Archway-Cache") == "hit");
  CHECK(registry.upstream.count("GET", manifest) == 1);

  const auto unknown = "sha256:" + std::string(64, '0');
  for (const auto& path :
       {manifest_path("arm64v8/app", unknown), blob_path("arm64v8/app", unknown)}) {
    const auto got = gateway.get(path);
    CHECK(got.status == 404);
    for (const std::string part : {"docker.io/library/app", "docker.io/arm64v8/app"}) {
      CHECK(got.body.find(part) != std::string::npos);
    }
  }
}

TEST_CASE_FIXTURE(Fixture, "one name failing is not both lacking") {
  ScriptedUpstream failing;
  const auto unknown = "sha256:" + std::string(64, '0');
  failing.on(blob_path("library/app", unknown)).answer(500);
  gateway.settings.upstreams.front().url = *resolver::Url::parse(failing.url());
  gateway.start();
  CHECK(gateway.get(blob_path("arm64v8/app", unknown)).status == 502);
}

TEST_CASE_FIXTURE(Fixture,
                  "a name that is not there says what was asked for and what was looked for") {
  gateway.start();
  const auto got = gateway.get(manifest_path("arm64v8/nothing", "1"));
  CHECK(got.status == 404);
  CHECK(got.body.find("docker.io/arm64v8/nothing:1") != std::string::npos);
  CHECK(got.body.find("architecture organisation") != std::string::npos);
  CHECK(gateway.wait_log("\"looked_for\":\"docker.io/library/nothing:1\""));
}

TEST_CASE_FIXTURE(Fixture, "tags are listed of the name that they are looked for under") {
  registry.upstream.on("/v2/library/app/tags/list")
      .answer(200)
      .json(R"({"name":"library/app","tags":["1"]})");
  gateway.start();
  CHECK(gateway.get("/v2/arm64v8/app/tags/list").body == R"({"name":"arm64v8/app","tags":["1"]})");
}

TEST_CASE("without the switch every name is what it says") {
  Registry registry;
  publish(registry.upstream, "arm64v8/app", registry.arm64.manifest, "1");
  Gateway gateway(registry.upstream);
  gateway.start();
  const auto got = gateway.get(manifest_path("arm64v8/app", "1"));
  CHECK(got.body == registry.arm64.manifest.bytes);
  CHECK(gateway.get(manifest_path("amd64/app", "1")).status == 404);
}

TEST_CASE("docker's CLI states a platform by the header that it forwards") {
  Registry registry;
  Gateway gateway(registry.upstream);
  gateway.start();
  const auto path = manifest_path("library/app", "1");
  const auto forwarded = gateway.get(path, {{"X-Meta-Archway-Platform", "linux/arm64"}});
  CHECK(forwarded.body == registry.arm64.manifest.bytes);
  CHECK(forwarded.header("Archway-Platform") == "linux/arm64; by=header");
  const auto both = gateway.get(
      path, {{"X-Meta-Archway-Platform", "linux/arm64"}, {"Archway-Platform", "linux/amd64"}});
  CHECK(both.body == registry.amd64.manifest.bytes);
}

}  // namespace
}  // namespace archway::test
