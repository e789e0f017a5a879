#include "proxy/command/manifest_remove.hpp"

#include "tests/proxy/command/manifest_bench.hpp"

#include <doctest/doctest.h>
#include <string>

namespace archway::proxy {
namespace {

struct RemoveBench : ManifestBench {
  RemoveBench() {
    for (const char* const name : {"a:1", "b:1"}) REQUIRE(store().save({.target = image_of(name)}));
  }
  bool is_there(const char* name) { return store().get(image_of(name)).has_value(); }
};

TEST_CASE("drafts are dropped by name, each for itself") {
  RemoveBench bench;
  CHECK(manifest_remove({.targets = {"a:1"}}, bench.surroundings()) == exits::ok);
  CHECK_FALSE(bench.is_there("a:1"));
  CHECK(bench.is_there("b:1"));
  CHECK(bench.printed().empty());
}

TEST_CASE("one that is not there does not keep the others") {
  RemoveBench bench;
  CHECK(manifest_remove({.targets = {"none:1", "b:1"}, .output = {.json = true}},
                        bench.surroundings()) == exits::partly);
  CHECK_FALSE(bench.is_there("b:1"));
  CHECK(bench.printed() == "{\"removed\":[\"b:1\"]}\n");
  CHECK(bench.complained().starts_with(
      "archway manifest rm: no such draft: docker.io/library/none:1; "));
  CHECK(manifest_remove({.targets = {"none:1"}}, bench.surroundings()) == exits::not_found);
}

}  // namespace
}  // namespace archway::proxy
