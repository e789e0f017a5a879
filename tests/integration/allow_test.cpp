// `platforms.allow`: images for other platforms are not fetched, whoever asks and however.

#include "tests/integration/gateway.hpp"
#include "tests/integration/images.hpp"

#include <doctest/doctest.h>
#include <string>
#include <vector>

namespace archway::test {
namespace {

constexpr const char* repository = "library/hi";

struct Registry {
  Registry()
      : images{make_image("linux/amd64", noise(1000, 1)),
               make_image("linux/s390x", noise(1000, 2))},
        index(make_index(images)) {
    for (const auto& image : images) publish(upstream, repository, image);
    publish(upstream, repository, index, "1");
    publish(upstream, repository, images[1].manifest, "single");
  }
  ScriptedUpstream upstream;
  std::vector<Image> images;
  Document index;
};

struct Fixture {
  Fixture() : gateway(registry.upstream) {
    gateway.settings.policy.allow = {*Platform::parse("linux/amd64"),
                                     *Platform::parse("linux/arm64")};
  }
  Registry registry;
  Gateway gateway;
};

void check_refused(const Answer& answer) {
  CHECK(answer.status == 403);
  for (const std::string part : {"DENIED", "linux/s390x", "platforms.allow", "linux/amd64"}) {
    CAPTURE(part);
    CHECK(answer.body.find(part) != std::string::npos);
  }
}

TEST_CASE_FIXTURE(Fixture,
                  "by tag, a platform that is not allowed is refused, whatever missing says") {
  gateway.start();
  check_refused(gateway.get(manifest_path(repository, "1"), {{"Archway-Platform", "linux/s390x"}}));
  const auto allowed =
      gateway.get(manifest_path(repository, "1"), {{"Archway-Platform", "linux/amd64"}});
  CHECK(allowed.body == registry.images[0].manifest.bytes);
  const auto missing =
      gateway.get(manifest_path(repository, "1"), {{"Archway-Platform", "linux/arm64"}});
  CHECK(missing.body == registry.index.bytes);
}

TEST_CASE_FIXTURE(Fixture, "by digest, a child for another platform is refused and never fetched") {
  gateway.start();
  CHECK(gateway.get(manifest_path(repository, "1")).body == registry.index.bytes);
  const auto path = manifest_path(repository, registry.images[1].manifest.digest);
  check_refused(gateway.get(path));
  CHECK(gateway.head(path).status == 403);
  CHECK(registry.upstream.count("GET", path) == 0);
  CHECK(gateway.get(manifest_path(repository, registry.images[0].manifest.digest)).status == 200);
}

TEST_CASE_FIXTURE(Fixture, "a manifest of unknown platform is fetched, and its parts with it") {
  gateway.start();
  const auto& image = registry.images[1];
  CHECK(gateway.get(manifest_path(repository, image.manifest.digest)).status == 200);
  CHECK(gateway.get(blob_path(repository, digest_of(image.layer))).body == image.layer);
}

TEST_CASE_FIXTURE(Fixture, "the parts of an image belong to its platform") {
  {
    Gateway before(registry.upstream, gateway.cache());
    before.start();
    CHECK(before.get(manifest_path(repository, "1")).status == 200);
    for (const auto& image : registry.images) {
      CHECK(before.get(manifest_path(repository, image.manifest.digest)).status == 200);
      CHECK(before.get(blob_path(repository, digest_of(image.layer))).status == 200);
    }
    before.stop();
  }
  gateway.start();
  for (const auto& bytes : {registry.images[1].layer, registry.images[1].config}) {
    check_refused(gateway.get(blob_path(repository, digest_of(bytes))));
    CHECK(gateway.head(blob_path(repository, digest_of(bytes))).status == 403);
  }
  CHECK(gateway.get(blob_path(repository, digest_of(registry.images[0].layer))).status == 200);
}

TEST_CASE_FIXTURE(Fixture, "a single image is asked what it is for") {
  gateway.start();
  check_refused(gateway.get(manifest_path(repository, "single")));
  CHECK(registry.upstream.count("GET",
                                blob_path(repository, digest_of(registry.images[1].layer))) == 0);
}

}  // namespace
}  // namespace archway::test
