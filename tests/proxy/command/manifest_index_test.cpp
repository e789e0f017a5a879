#include "proxy/command/manifest_index.hpp"

#include "tests/proxy/command/manifest_bench.hpp"

#include <doctest/doctest.h>
#include <string>
#include <vector>

namespace archway::proxy {
namespace {

FetchedManifest fetched(const std::string& bytes, std::string_view type) {
  return {.digest = *Digest::parse(test::digest_of(bytes)),
          .media_type = std::string(type),
          .bytes = bytes,
          .manifest = resolver::parse_manifest(bytes, type)};
}

std::string entry_text(const std::string& platform, const std::string& more = "") {
  return R"({"mediaType":")" + std::string(media_type::oci_manifest) + R"(","digest":")" +
         test::digest_of(platform) + R"(","size":7,"platform":)" + platform + more + "}";
}

TEST_CASE("an index brings all its entries, each letter for letter") {
  const std::string arm = R"({"architecture":"arm64","os":"linux","variant":"v8"})";
  const std::string unknown = R"({"architecture":"unknown","os":"unknown"})";
  const std::string about =
      R"(,"annotations":{"vnd.docker.reference.type":"attestation-manifest"})";
  const std::string text = R"({"schemaVersion":2,"manifests":[)" + entry_text(arm) + "," +
                           entry_text(unknown, about) + "]}";
  const auto entries =
      entries_of_index(fetched(text, media_type::oci_index), image_of("localhost:5000/a:1"));
  REQUIRE(entries);
  REQUIRE(entries->size() == 2);
  CHECK((*entries)[0].source.str() == "localhost:5000/a:1");
  CHECK((*entries)[0].platform->variant == "v8");

  const auto index = index_of({.target = image_of("t:1"), .entries = *entries}, false);
  REQUIRE(index);
  const auto again = resolver::parse_manifest(index->bytes, index->media_type);
  REQUIRE(again.interpretable);
  CHECK(again.manifests[1].reference_type == "attestation-manifest");
  CHECK(contains(index->bytes, R"("variant":"v8"})"));
  CHECK(contains(index->bytes, R"("size":7,"platform":{"architecture":"unknown","os":"unknown"},)"
                               R"("annotations":{"vnd.docker.reference.type":)"));
}

TEST_CASE("an index that two readers could read differently is not taken") {
  const auto twice =
      fetched(R"({"schemaVersion":2,"manifests":[],"manifests":[]})", media_type::oci_index);
  const auto entries = entries_of_index(twice, image_of("localhost:5000/a:1"));
  REQUIRE_FALSE(entries);
  CHECK(entries.error().message ==
        "localhost:5000/a:1 cannot be taken into an index: it has the same key twice in one "
        "object");
  const auto empty = fetched(R"({"schemaVersion":2,"manifests":null})", media_type::oci_index);
  CHECK(entries_of_index(empty, image_of("localhost:5000/a:1"))->empty());
}

TEST_CASE("a source is a single image with its config's platform, or all of an index") {
  const auto amd64 = test::make_image("linux/amd64", "one");
  const auto arm = test::make_image("linux/arm", "two");
  ScriptedRegistry registry;
  registry.hold("one", amd64, "1");
  registry.hold("both", amd64);
  registry.hold("both", arm, "arm");
  test::publish(registry, "both", test::make_index({amd64, arm}), "1");
  registry.on("/v2/old/manifests/1")
      .answer(200)
      .header("Content-Type", "application/vnd.docker.distribution.manifest.v1+json")
      .body("{}");
  ManifestBench bench;
  const auto session = bench.session();
  auto* const client = *session->registry(registry.host());
  struct Row {
    const char* source;
    std::vector<std::string> platforms;
  };
  const Row rows[] = {{"one:1", {"linux/amd64"}},
                      {"both:1", {"linux/amd64", "linux/arm"}},
                      {"both:arm", {"linux/arm"}}};  // its config names no variant: neither do we
  for (const Row& row : rows) {
    CAPTURE(row.source);
    const auto entries =
        session->run(entries_of_source(client, image_of(registry.image(row.source))));
    REQUIRE(entries);
    std::vector<std::string> platforms;
    for (const auto& entry : *entries) platforms.push_back(entry.platform->str());
    CHECK(platforms == row.platforms);
  }
  const auto single = session->run(entries_of_source(client, image_of(registry.image("one:1"))));
  CHECK(single->front().digest.str() == amd64.manifest.digest);
  CHECK(single->front().size == amd64.manifest.bytes.size());
  const auto old = session->run(entries_of_source(client, image_of(registry.image("old:1"))));
  REQUIRE_FALSE(old);
  CHECK(contains(old.error().message, "its type is none that is interpreted"));
  const auto none = session->run(entries_of_source(client, image_of(registry.image("none:1"))));
  REQUIRE_FALSE(none);
  CHECK(none.error().code == Errc::manifest_unknown);
}

TEST_CASE("an index is of Docker's kind only when all its entries are, or when that is wanted") {
  const auto oci = entry_of("a:1", "linux/amd64");
  const auto docker = entry_of("b:1", "linux/arm64", media_type::docker_manifest);
  struct Row {
    const char* why;
    std::vector<DraftEntry> entries;
    bool docker_list;
    std::string_view want;
  };
  const Row rows[] = {{"OCI images", {oci}, false, media_type::oci_index},
                      {"Docker images", {docker}, false, media_type::docker_list},
                      {"both", {docker, oci}, false, media_type::oci_index},
                      {"as wanted", {docker, oci}, true, media_type::docker_list}};
  for (const Row& row : rows) {
    CAPTURE(row.why);
    const auto index =
        index_of({.target = image_of("t:1"), .entries = row.entries}, row.docker_list);
    REQUIRE(index);
    CHECK(index->media_type == row.want);
    CHECK(index->digest.str() == test::digest_of(index->bytes));
    CHECK(resolver::parse_manifest(index->bytes, index->media_type).manifests.size() ==
          row.entries.size());
  }
}

TEST_CASE("the same draft gives the same bytes, also when it was written down between") {
  Draft draft{
      .target = image_of("t:1"),
      .entries = {entry_of("a:1", "linux/amd64"), entry_of("b:1", "windows(10.0.20348.1)/amd64")}};
  const auto index = index_of(draft, false);
  REQUIRE(index);
  CHECK(index->digest.str() ==
        "sha256:f6ff8cb5a7741fdaefe9722dbcdf82c72ed2efdaab9948a61e365a1fc6509c32");
  CHECK(index_of(*read_draft(draft_text(draft)), false)->bytes == index->bytes);
}

TEST_CASE("an index that nobody could use is not made") {
  const auto empty = index_of({.target = image_of("t:1")}, false);
  REQUIRE_FALSE(empty);
  CHECK(empty.error().message == "the draft of docker.io/library/t:1 has no manifests");
  const auto nameless =
      index_of({.target = image_of("t:1"), .entries = {entry_of("a:1", "")}}, false);
  REQUIRE_FALSE(nameless);
  CHECK(contains(nameless.error().message, "names no platform"));
  CHECK(contains(nameless.error().message,
                 "archway manifest annotate docker.io/library/t:1 docker.io/library/a@sha256:"));
  auto heavy = entry_of("a:1", "linux/amd64");
  heavy.others["data"] = std::string(resolver::manifest_bytes_max, 'x');
  const auto large = index_of({.target = image_of("t:1"), .entries = {heavy}}, false);
  REQUIRE_FALSE(large);
  CHECK(contains(large.error().message, "larger than 4 MiB"));
}

}  // namespace
}  // namespace archway::proxy
