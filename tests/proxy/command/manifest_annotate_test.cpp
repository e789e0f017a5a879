#include "proxy/command/manifest_annotate.hpp"

#include "tests/proxy/command/manifest_bench.hpp"

#include <doctest/doctest.h>
#include <string>

namespace archway::proxy {
namespace {

struct AnnotateBench : ManifestBench {
  AnnotateBench() {
    REQUIRE(store().save({.target = image_of("localhost:5000/app:1"),
                          .entries = {entry_of("localhost:5000/a:1", "linux/arm64")}}));
  }
  std::string platform() {
    return store().get(image_of("localhost:5000/app:1"))->entries[0].platform->str();
  }
};

TEST_CASE("what is stated is in the draft afterwards") {
  AnnotateBench bench;
  CHECK(manifest_annotate({.target = "localhost:5000/app:1",
                           .source = "localhost:5000/a:1",
                           .annotation = {.variant = "v8"},
                           .os_features = "one,,two,"},
                          bench.surroundings()) == exits::ok);
  CHECK(bench.platform() == "linux(+one+two)/arm64/v8");
  CHECK(bench.printed().empty());
  CHECK(bench.complained().empty());
}

TEST_CASE("what cannot be stated changes nothing") {
  AnnotateBench bench;
  struct Row {
    const char* why;
    AnnotateOptions options;
    int code;
    const char* want;
  };
  const Row rows[] = {
      {"nothing at all",
       {.target = "localhost:5000/app:1", .source = "localhost:5000/a:1"},
       exits::usage,
       "nothing is stated; allowed: --os, "},
      {"features that are none",
       {.target = "localhost:5000/app:1", .source = "localhost:5000/a:1", .os_features = ",,"},
       exits::usage,
       "nothing is stated"},
      {"no such draft",
       {.target = "localhost:5000/app:2",
        .source = "localhost:5000/a:1",
        .annotation = {.os = "linux"}},
       exits::not_found,
       "no such draft: localhost:5000/app:2"},
      {"no such entry",
       {.target = "localhost:5000/app:1",
        .source = "localhost:5000/b:1",
        .annotation = {.os = "linux"}},
       exits::not_found,
       "does not exist in localhost:5000/app:1"},
      {"no platform",
       {.target = "localhost:5000/app:1",
        .source = "localhost:5000/a:1",
        .annotation = {.architecture = "arm/v7"}},
       exits::failed,
       "\"arm/v7\" cannot be a part of a platform"},
      {"no name",
       {.target = "App", .source = "localhost:5000/a:1", .annotation = {.os = "linux"}},
       exits::usage,
       "is not a repository name"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.why);
    CHECK(manifest_annotate(row.options, bench.surroundings()) == row.code);
    const auto said = bench.complained();
    CHECK(said.starts_with("archway manifest annotate: "));
    CHECK(contains(said, row.want));
    CHECK(bench.platform() == "linux/arm64");
  }
}

}  // namespace
}  // namespace archway::proxy
