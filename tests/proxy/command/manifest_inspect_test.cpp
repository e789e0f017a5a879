#include "proxy/command/manifest_inspect.hpp"

#include "tests/proxy/command/manifest_bench.hpp"

#include <doctest/doctest.h>
#include <string>
#include <vector>

namespace archway::proxy {
namespace {

const auto amd64 = test::make_image("linux/amd64", "one");
const auto arm64 = test::make_image("linux/arm64", "two, larger");
const auto both = test::make_index({amd64, arm64});

/// A registry with two images and their index, `app:1`.
struct InspectBench : ManifestBench {
  ScriptedRegistry registry;
  std::vector<std::string> asked;  ///< names that the gateway was asked about
  std::unique_ptr<Session> connected = session();

  InspectBench() {
    registry.hold("app", amd64, "amd64");
    registry.hold("app", arm64);
    test::publish(registry, "app", both, "1");
  }

  int inspect(InspectOptions options, const AskCached& ask = {}) {
    return manifest_inspect(options, surroundings(), *connected, ask);
  }
  /// A gateway that has these: the manifest, the config, the layer.
  AskCached gateway_with(std::vector<bool> there) {
    return [this, there](const std::string& image, const std::vector<Digest>&) {
      asked.push_back(image);
      return std::optional(there);
    };
  }
};

std::string line(const test::Image& image, const std::string& rest) {
  return image.platform + "\t" + image.manifest.digest + "\t" +
         std::to_string(image.config.size() + image.layer.size()) + rest + "\n";
}

TEST_CASE("an index is shown with the size of each image") {
  InspectBench bench;
  CHECK(bench.inspect({.image = bench.registry.image("app:1")}) == exits::ok);
  CHECK(bench.printed() == line(amd64, "") + line(arm64, ""));
  CHECK(bench.complained().empty());
  CHECK(bench.registry.count("GET", test::blob_path("app", test::digest_of(amd64.layer))) == 0);
}

TEST_CASE("bytes, digest and JSON need no look at the images") {
  InspectBench bench;
  CHECK(bench.inspect({.image = bench.registry.image("app:1"), .raw = true}) == exits::ok);
  CHECK(bench.printed() == both.bytes);
  CHECK(bench.inspect({.image = bench.registry.image("app:1"), .output = {.quiet = true}}) ==
        exits::ok);
  CHECK(bench.printed() == both.digest + "\n");
  CHECK(bench.inspect({.image = bench.registry.image("app:1"), .output = {.json = true}}) ==
        exits::ok);
  CHECK(contains(bench.printed(), amd64.manifest.digest));
  CHECK(bench.registry.count("GET", test::manifest_path("app", amd64.manifest.digest)) == 0);
}

TEST_CASE("a single manifest says its platform, and a wanted one is picked from the index") {
  InspectBench bench;
  bench.terminal = true;
  CHECK(bench.inspect({.image = bench.registry.image("app:amd64")}) == exits::ok);
  CHECK(contains(bench.printed(), "Platform:   linux/amd64\n"));
  CHECK(bench.inspect({.image = bench.registry.image("app:1"), .platform = "linux/arm64/v9"}) ==
        exits::ok);
  const auto picked = bench.printed();
  CHECK(contains(picked, "Digest:     " + arm64.manifest.digest + "\n"));
  CHECK(contains(picked, "Platform:   linux/arm64\n"));
  CHECK(bench.inspect({.image = bench.registry.image("app:1"), .platform = "linux/s390x"}) ==
        exits::not_found);
  CHECK(contains(bench.complained(),
                 "has nothing for linux/s390x; it has: linux/amd64, linux/arm64"));
}

TEST_CASE("what a gateway has is told by the blobs: the manifest has just been asked for") {
  struct Row {
    std::vector<bool> there;
    const char* want;
  };
  const Row rows[] = {{{true, true, true}, "\tyes"},
                      {{false, true, true}, "\tpartly"},
                      {{true, true, false}, "\tpartly"},
                      {{true, false, false}, "\tno"},
                      {{false, false, false}, "\tno"}};
  InspectBench bench;
  for (const Row& row : rows) {
    CAPTURE(row.want);
    CHECK(bench.inspect({.image = bench.registry.image("app:1")}, bench.gateway_with(row.there)) ==
          exits::ok);
    CHECK(bench.printed() == line(amd64, row.want) + line(arm64, row.want));
  }
  CHECK(bench.asked == std::vector<std::string>(10, bench.registry.image("app")));
  const AskCached silent = [](const std::string&, const std::vector<Digest>&) {
    return std::optional<std::vector<bool>>();
  };
  CHECK(bench.inspect({.image = bench.registry.image("app:1")}, silent) == exits::ok);
  CHECK(bench.printed() == line(amd64, "") + line(arm64, ""));
}

TEST_CASE("a gateway is asked under its own name, and by the name of what is behind it") {
  InspectBench bench;
  bench.registry.hold("ghcr.io/org/app", amd64, "1");
  for (const bool by_option : {true, false}) {
    CAPTURE(by_option);
    InspectOptions options{.image = bench.registry.image("ghcr.io/org/app:1")};
    if (by_option) options = {.image = "ghcr.io/org/app:1", .gateway = bench.registry.host()};
    bench.asked.clear();
    CHECK(bench.inspect(options, bench.gateway_with({true, true, false})) == exits::ok);
    CHECK(bench.asked == std::vector<std::string>{"ghcr.io/org/app"});
    CHECK(contains(bench.printed(), "layer\t" + test::digest_of(amd64.layer)));
  }
}

TEST_CASE("an image that the index names and the registry lacks is partly done") {
  InspectBench bench;
  const auto gone = test::make_image("linux/s390x", "gone");
  const auto sparse = test::make_index({amd64, gone});
  test::publish(bench.registry, "app", sparse, "sparse");
  CHECK(bench.inspect({.image = bench.registry.image("app:sparse")}) == exits::partly);
  CHECK(bench.printed() ==
        line(amd64, "") + "linux/s390x\t" + gone.manifest.digest + "\tmissing\n");
  const auto broken = test::make_image("linux/riscv64", "broken");
  bench.registry.on(test::manifest_path("app", broken.manifest.digest)).answer(500);
  test::publish(bench.registry, "app", test::make_index({broken}), "broken");
  CHECK(bench.inspect({.image = bench.registry.image("app:broken")}) == exits::partly);
  CHECK(contains(bench.printed(), "\tunknown\n"));
  CHECK(contains(bench.complained(), "archway manifest inspect: " + bench.registry.host()));
}

TEST_CASE("failures are told by exit code and sentence") {
  InspectBench bench;
  struct Row {
    const char* why;
    InspectOptions options;
    int code;
    const char* want;
  };
  const Row rows[] = {
      {"no such image",
       {.image = bench.registry.image("none:1")},
       exits::not_found,
       "no such image"},
      {"nobody there", {.image = "127.0.0.1:1/app"}, exits::unreachable, "127.0.0.1:1"},
      {"no image", {.image = "App"}, exits::usage, "is not a repository name"},
      {"no platform",
       {.image = bench.registry.image("app:1"), .platform = "linux"},
       exits::usage,
       "is not a platform"},
      {"no gateway for a port",
       {.image = bench.registry.image("app:1"), .gateway = "127.0.0.1:1"},
       exits::failed,
       "has a port"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.why);
    CHECK(bench.inspect(row.options) == row.code);
    CHECK(bench.printed().empty());
    const auto said = bench.complained();
    CHECK(said.starts_with("archway manifest inspect: "));
    CHECK(contains(said, row.want));
  }
}

TEST_CASE("a draft is shown when it is asked for, and hinted at when it is not") {
  InspectBench bench;
  const auto name = bench.registry.image("new:1");
  REQUIRE(bench.store().save(
      {.target = image_of(name), .entries = {entry_of(bench.registry.image("a:1"), "linux/386")}}));
  CHECK(bench.inspect({.image = name}) == exits::not_found);
  CHECK(contains(bench.complained(), "there is a draft of that name, --draft shows it"));
  CHECK(manifest_inspect({.image = name, .draft = true}, bench.surroundings()) == exits::ok);
  CHECK(bench.printed().starts_with("linux/386\tsha256:"));
  CHECK(manifest_inspect({.image = "other:1", .draft = true}, bench.surroundings()) ==
        exits::not_found);
}

TEST_CASE("of a long index only the first images are looked at") {
  InspectBench bench;
  const std::vector<test::Image> many(inspected_entries_max + 1, amd64);
  test::publish(bench.registry, "app", test::make_index(many), "long");
  CHECK(bench.inspect({.image = bench.registry.image("app:long")}) == exits::ok);
  const auto printed = bench.printed();
  CHECK(printed.ends_with("\t-\n"));
  CHECK(bench.registry.count("GET", test::manifest_path("app", amd64.manifest.digest)) ==
        inspected_entries_max);
}

}  // namespace
}  // namespace archway::proxy
