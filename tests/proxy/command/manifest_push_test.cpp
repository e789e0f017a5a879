#include "proxy/command/manifest_push.hpp"

#include "tests/proxy/command/manifest_bench.hpp"

#include <boost/json/parse.hpp>
#include <doctest/doctest.h>
#include <string>
#include <vector>

namespace archway::proxy {
namespace {

const auto amd64 = test::make_image("linux/amd64", "one");
const auto arm64 = test::make_image("linux/arm64", "two");

DraftEntry entry_from(const std::string& source, const test::Image& image) {
  return {.source = image_of(source),
          .media_type = image.manifest.media_type,
          .digest = *Digest::parse(image.manifest.digest),
          .size = image.manifest.bytes.size(),
          .platform = *Platform::parse(image.platform)};
}

/// A registry with two images under names of their own, and a draft of `team/app:1` out of both.
struct PushBench : ManifestBench {
  ScriptedRegistry registry;
  std::string target = registry.image("team/app:1");

  PushBench() {
    registry.hold("a", amd64, "1");
    registry.hold("b", arm64, "1");
    REQUIRE(store().save({.target = image_of(target),
                          .entries = {entry_from(registry.image("a:1"), amd64),
                                      entry_from(registry.image("b:1"), arm64)}}));
  }
  void take_all() {
    registry.on("/v2/team/app/blobs/uploads/").answer(201);
    registry.take_manifest("team/app", amd64.manifest.digest);
    registry.take_manifest("team/app", arm64.manifest.digest);
    registry.on("/v2/team/app/manifests/1").answer(201);
  }
  int push(PushOptions options = {}) {
    options.target = target;
    const auto connected = session();
    return manifest_push(options, surroundings(), *connected);
  }
  std::string pushed_index() const { return registry.taken("PUT", "/v2/team/app/manifests/1"); }
};

TEST_CASE("children go before the index, whose digest is the last line") {
  PushBench bench;
  bench.take_all();
  CHECK(bench.push() == exits::ok);
  const auto writes = bench.registry.writes();
  REQUIRE(writes.size() == 7);
  CHECK(writes[2] == "PUT /v2/team/app/manifests/" + amd64.manifest.digest);
  CHECK(writes[5] == "PUT /v2/team/app/manifests/" + arm64.manifest.digest);
  CHECK(writes[6] == "PUT /v2/team/app/manifests/1");
  const auto index = resolver::parse_manifest(bench.pushed_index(), media_type::oci_index);
  REQUIRE(index.interpretable);
  CHECK(index.manifests[1].platform->str() == "linux/arm64");
  const auto ref = [&](const test::Image& image) {
    return "Pushed ref " + bench.registry.image("team/app") + "@" + image.manifest.digest +
           " with digest: " + image.manifest.digest + "\n";
  };
  CHECK(bench.printed() == ref(amd64) + ref(arm64) + test::digest_of(bench.pushed_index()) + "\n");
  CHECK(bench.complained().empty());
  CHECK(bench.store().get(image_of(bench.target)));
}

TEST_CASE("a purged draft is gone, but only when all was pushed") {
  PushBench bench;
  bench.registry.on("/v2/team/app/blobs/uploads/").answer(403);
  CHECK(bench.push({.purge = true}) == exits::failed);
  CHECK(bench.store().get(image_of(bench.target)));
  PushBench second;
  second.take_all();
  CHECK(second.push({.purge = true, .output = {.quiet = true}}) == exits::ok);
  CHECK(second.printed() == test::digest_of(second.pushed_index()) + "\n");
  CHECK_FALSE(second.store().get(image_of(second.target)));
}

TEST_CASE("what was pushed before a failure stays, and the index is not put") {
  PushBench bench;
  bench.take_all();
  bench.registry.on("/v2/b/manifests/" + arm64.manifest.digest).answer(500);
  ScriptedRegistry empty;
  auto draft = *bench.store().get(image_of(bench.target));
  draft.entries[1].source = image_of(empty.image("b:1"));
  REQUIRE(bench.store().save(draft));
  CHECK(bench.push() == exits::partly);
  CHECK(bench.printed().starts_with("Pushed ref "));
  const auto said = bench.complained();
  CHECK(said.starts_with("archway manifest push: cannot copy the manifest " +
                         arm64.manifest.digest + " from " + empty.image("b") + " to " +
                         bench.registry.image("team/app") + ": "));
  CHECK(bench.pushed_index().empty());
}

TEST_CASE("a Docker manifest list is put where it is wanted, and told in JSON") {
  PushBench bench;
  bench.take_all();
  CHECK(bench.push({.docker_list = true, .output = {.json = true}}) == exits::ok);
  const auto said = boost::json::parse(bench.printed());
  CHECK(said.at("mediaType") == boost::json::value(std::string(media_type::docker_list)));
  CHECK(said.at("digest") == boost::json::value(test::digest_of(bench.pushed_index())));
  CHECK(said.at("pushed").as_array().size() == 2);
  CHECK(said.at("blobs").at("mounted") == boost::json::value(4));
  bool typed = false;
  for (const auto& request : bench.registry.requests()) {
    typed = typed || (request.target == "/v2/team/app/manifests/1" &&
                      request.header("Content-Type") == media_type::docker_list);
  }
  CHECK(typed);
}

TEST_CASE("nothing is asked of a registry for a draft that cannot be pushed") {
  PushBench bench;
  auto draft = *bench.store().get(image_of(bench.target));
  draft.entries[0].platform.reset();
  REQUIRE(bench.store().save(draft));
  CHECK(bench.push() == exits::failed);
  CHECK(contains(bench.complained(), "names no platform"));
  bench.target = bench.registry.image("other:1");
  CHECK(bench.push() == exits::not_found);
  CHECK(bench.registry.requests().empty());
}

}  // namespace
}  // namespace archway::proxy
