#include "proxy/command/manifest_create.hpp"

#include "tests/proxy/command/manifest_bench.hpp"

#include <doctest/doctest.h>
#include <string>
#include <vector>

namespace archway::proxy {
namespace {

const auto amd64 = test::make_image("linux/amd64", "one");
const auto arm64 = test::make_image("linux/arm64", "two");

struct CreateBench : ManifestBench {
  ScriptedRegistry registry;
  std::unique_ptr<Session> connected = session();

  CreateBench() {
    registry.hold("app", amd64, "amd64");
    registry.hold("app", arm64, "arm64");
    test::publish(registry, "app", test::make_index({amd64, arm64}), "both");
  }

  int create(const std::string& target, const std::vector<std::string>& sources,
             bool amend = false) {
    CreateOptions options{.target = registry.image(target), .amend = amend};
    for (const auto& source : sources) options.sources.push_back(registry.image(source));
    return manifest_create(options, surroundings(), *connected);
  }
  std::vector<std::string> platforms(const std::string& target) {
    std::vector<std::string> all;
    const auto draft = store().get(image_of(registry.image(target)));
    for (const auto& entry : draft->entries) {
      all.push_back(entry.platform->str());
    }
    return all;
  }
};

TEST_CASE("a draft holds what its sources are for, in their order") {
  CreateBench bench;
  CHECK(bench.create("app:1", {"app:arm64", "app:amd64"}) == exits::ok);
  CHECK(bench.printed() == "Created manifest list " + bench.registry.image("app:1") + "\n");
  CHECK(bench.complained().empty());
  CHECK(bench.platforms("app:1") == std::vector<std::string>{"linux/arm64", "linux/amd64"});
  CHECK(bench.registry.writes().empty());
}

TEST_CASE("a draft that is there is added to only with --amend") {
  CreateBench bench;
  CHECK(bench.create("app:1", {"app:arm64"}) == exits::ok);
  CHECK(bench.create("app:1", {"app:amd64"}) == exits::failed);
  CHECK(contains(bench.complained(), "--amend adds to it"));
  CHECK(bench.platforms("app:1").size() == 1);
  CHECK(bench.create("app:1", {"app:amd64"}, true) == exits::ok);
  CHECK(bench.platforms("app:1") == std::vector<std::string>{"linux/arm64", "linux/amd64"});
  CHECK(bench.create("app:2", {"app:amd64"}, true) == exits::ok);
  CHECK(bench.platforms("app:2").size() == 1);
}

TEST_CASE("an index brings all its images, and doubled platforms are warned of") {
  CreateBench bench;
  CHECK(bench.create("app:1", {"app:arm64", "app:both"}) == exits::ok);
  CHECK(bench.platforms("app:1").size() == 3);
  CHECK(bench.complained() ==
        "warning: linux/arm64 is in the index more than once; clients take the first\n");
}

TEST_CASE("an image without a platform is taken with a warning, to be annotated") {
  CreateBench bench;
  const auto empty = test::digest_of("{}");
  auto manifest = amd64.manifest.bytes;
  manifest.replace(manifest.find("sha256:"), empty.size(), empty);
  bench.registry.on(test::manifest_path("chart", "1"))
      .answer(200)
      .header("Content-Type", amd64.manifest.media_type)
      .body(manifest);
  bench.registry.on(test::blob_path("chart", empty)).answer(200).body("{}");
  CHECK(bench.create("app:1", {"chart:1"}) == exits::ok);
  CHECK(contains(bench.complained(), "chart:1 names no platform; `archway manifest annotate`"));
}

TEST_CASE("a source that cannot be had leaves no draft") {
  CreateBench bench;
  CHECK(bench.create("app:1", {"app:arm64", "app:none"}) == exits::not_found);
  CHECK(contains(bench.complained(),
                 "archway manifest create: " + bench.registry.image("app:none") + ": "));
  CHECK_FALSE(bench.store().get(image_of(bench.registry.image("app:1"))));
}

TEST_CASE("a target by digest makes no sense") {
  CreateBench bench;
  CHECK(bench.create("app@" + amd64.manifest.digest, {"app:arm64"}) == exits::usage);
  CHECK(contains(bench.complained(), "give it a tag"));
}

}  // namespace
}  // namespace archway::proxy
