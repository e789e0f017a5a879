// What is attached to an image, signatures and the like: found by the upstream's API or by its
// fallback tag, kept, and there when the upstream is not.

#include "tests/integration/gateway.hpp"
#include "tests/integration/images.hpp"

#include <chrono>
#include <doctest/doctest.h>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace archway::test {
namespace {

constexpr const char* repository = "library/hi";
constexpr const char* oci_index = "application/vnd.oci.image.index.v1+json";
constexpr const char* oci_manifest = "application/vnd.oci.image.manifest.v1+json";

/// A manifest that refers to another one, and what a list says of it.
struct Artifact {
  Document manifest;
  std::string entry;
};

Artifact artifact_for(const std::string& subject, const std::string& type) {
  const std::string empty =
      "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
  const std::string config =
      R"({"mediaType":"application/vnd.oci.empty.v1+json","size":2,"digest":")" + empty + "\"}";
  Artifact made;
  made.manifest.media_type = oci_manifest;
  made.manifest.bytes = R"({"schemaVersion":2,"mediaType":")" + std::string(oci_manifest) +
                        R"(","artifactType":")" + type + R"(","config":)" + config +
                        R"(,"layers":[)" + config + R"(],"subject":{"mediaType":")" + oci_index +
                        R"(","size":1,"digest":")" + subject + "\"}}";
  made.manifest.digest = digest_of(made.manifest.bytes);
  made.entry = R"({"mediaType":")" + std::string(oci_manifest) + R"(","digest":")" +
               made.manifest.digest + R"(","size":)" + std::to_string(made.manifest.bytes.size()) +
               R"(,"artifactType":")" + type + "\"}";
  return made;
}

std::string list_of(const std::vector<std::string>& entries) {
  std::string text;
  for (const auto& entry : entries) text += (text.empty() ? "" : ",") + entry;
  return R"({"schemaVersion":2,"mediaType":")" + std::string(oci_index) + R"(","manifests":[)" +
         text + "]}";
}

/// An index with a signature and an SBOM.
struct Fixture {
  std::unique_ptr<ScriptedUpstream> upstream = std::make_unique<ScriptedUpstream>();
  Image image = make_image("linux/amd64", "layer");
  Document index = make_index({image});
  Artifact signature = artifact_for(index.digest, "application/x.signature");
  Artifact sbom = artifact_for(index.digest, "application/x.sbom");
  std::string list = list_of({signature.entry, sbom.entry});
  std::string path = "/v2/library/hi/referrers/" + index.digest;
  std::string fallback = "sha256-" + index.digest.substr(7);
  Gateway gateway{*upstream};

  Fixture() {
    publish(*upstream, repository, image);
    publish(*upstream, repository, index, "1");
    publish(*upstream, repository, signature.manifest);
  }
  /// From now on nothing is fresh.
  void all_is_stale() { gateway.settings.tags.fresh_for = std::chrono::seconds(0); }
};

TEST_CASE_FIXTURE(Fixture, "referrers come from the upstream's API once, however many ask") {
  const auto gate = upstream->gate();
  upstream->on(path).answer(200).json(list).hang(gate);
  gateway.start();
  std::vector<std::thread> threads;
  std::vector<Answer> answers(10);
  for (auto& answer : answers) threads.emplace_back([&] { answer = gateway.get(path); });
  CHECK(gate->wait_reached());
  CHECK(gateway.wait_metric("archway_connections", 11));  // They are all there, and /metrics.
  gate->open();
  for (auto& thread : threads) thread.join();
  for (const auto& answer : answers) {
    CHECK(answer.body == list);
    CHECK(answer.header("Content-Type") == oci_index);
  }
  CHECK(gateway.get(path).header("Archway-Cache") == "hit");
  CHECK(upstream->count("GET", path) == 1);
}

TEST_CASE_FIXTURE(Fixture, "a signature is found from what a tag was resolved to, and pulled") {
  upstream->on(path).answer(200).json(list);
  gateway.start();
  const auto child =
      gateway.get(manifest_path(repository, "1"), {{"Archway-Platform", "linux/amd64"}});
  CHECK(child.body == image.manifest.bytes);
  REQUIRE(child.header("Archway-Index") == index.digest);
  const auto referrers = gateway.get("/v2/library/hi/referrers/" + child.header("Archway-Index"));
  CHECK(referrers.body.find(signature.manifest.digest) != std::string::npos);
  const auto pulled = gateway.get(manifest_path(repository, signature.manifest.digest));
  CHECK(pulled.body == signature.manifest.bytes);
  // And once more, when the upstream is away.
  upstream.reset();
  CHECK(gateway.get(path).body == list);
  CHECK(gateway.get(manifest_path(repository, signature.manifest.digest)).body ==
        signature.manifest.bytes);
}

TEST_CASE_FIXTURE(Fixture, "an upstream without the API is asked for the fallback tag") {
  const auto listed = Document{oci_index, list, digest_of(list)};
  publish(*upstream, repository, listed, fallback);
  gateway.start();
  CHECK(gateway.get(path).body == list);
  CHECK(gateway.get(path).header("Archway-Cache") == "hit");
  CHECK(upstream->count("GET", path) == 1);
  CHECK(gateway.get(manifest_path(repository, fallback)).body == list);
}

TEST_CASE_FIXTURE(Fixture, "the API's list and the fallback's are never merged") {
  const auto listed = list_of({sbom.entry});
  publish(*upstream, repository, Document{oci_index, listed, digest_of(listed)}, fallback);
  const auto from_api = list_of({signature.entry});
  upstream->on(path).answer(200).json(from_api);
  gateway.start();
  CHECK(gateway.get(path).body == from_api);
  CHECK(upstream->count("HEAD", manifest_path(repository, fallback)) == 0);
}

TEST_CASE_FIXTURE(Fixture, "nothing attached is a list of none, and is kept as one") {
  gateway.start();
  const auto none = gateway.get(path);
  CHECK(none.status == 200);
  CHECK(none.body == list_of({}));
  CHECK(gateway.get(path).body == list_of({}));
  CHECK(upstream->count("GET", path) == 1);
}

TEST_CASE_FIXTURE(Fixture, "one artifact type is chosen here, whatever the upstream can") {
  upstream->on(path).answer(200).json(list);
  gateway.start();
  const auto signatures = gateway.get(path + "?artifactType=application/x.signature");
  CHECK(signatures.header("OCI-Filters-Applied") == "artifactType");
  CHECK(signatures.body.find(signature.manifest.digest) != std::string::npos);
  CHECK(signatures.body.find(sbom.manifest.digest) == std::string::npos);
  CHECK(gateway.get(path + "?artifactType=application/x.other").body == list_of({}));
  const auto all = gateway.get(path);
  CHECK(all.body == list);
  CHECK(all.header("OCI-Filters-Applied").empty());
  REQUIRE(upstream->count("GET", path) == 1);
}

TEST_CASE_FIXTURE(Fixture, "a list in pages is put together") {
  upstream->on(path)
      .answer(200)
      .header("Link", "<" + path + "?last=x&n=1>; rel=\"next\"")
      .json(list_of({signature.entry}));
  upstream->on(path).answer(200).json(list_of({sbom.entry}));
  gateway.start();
  const auto got = gateway.get(path);
  CHECK(got.body.find(signature.manifest.digest) != std::string::npos);
  CHECK(got.body.find(sbom.manifest.digest) != std::string::npos);
  CHECK(got.header("Link").empty());
  CHECK(upstream->requests().back().target == path + "?last=x&n=1");
}

TEST_CASE_FIXTURE(Fixture, "pages without an end are refused") {
  upstream->on(path)
      .answer(200)
      .header("Link", "<" + path + "?last=x>; rel=\"next\"")
      .json(list_of({signature.entry}));
  gateway.start();
  CHECK(gateway.get(path).status == 502);
  CHECK(upstream->count("GET", path) == 16);
}

TEST_CASE_FIXTURE(Fixture, "a stale list of referrers is served when the upstream fails") {
  struct Row {
    const char* why;
    unsigned status;
    std::string body;
    int want;
  };
  const std::vector<Row> rows{
      {"an error of its own", 500, "", 200},
      {"a limit", 429, "", 200},
      {"no list", 200, "<html>", 200},
      {"not for us", 403, "", 403},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    ScriptedUpstream registry;
    registry.on(path).answer(200).json(list);
    registry.on(path).answer(row.status).body(row.body);
    Gateway other(registry);
    other.settings.tags.fresh_for = std::chrono::seconds(0);
    other.start();
    CHECK(other.get(path).header("Archway-Cache") == "miss");
    const auto again = other.get(path);
    CHECK(again.status == row.want);
    if (row.want != 200) continue;
    CHECK(again.body == list);
    CHECK(again.header("Archway-Cache") == "stale");
  }
}

TEST_CASE_FIXTURE(Fixture, "the tags of cosign pull like others") {
  const auto tag = fallback + ".sig";
  publish(*upstream, repository, signature.manifest, tag);
  all_is_stale();
  gateway.start();
  const auto path_of_tag = manifest_path(repository, tag);
  const auto got = gateway.get(path_of_tag, {{"Archway-Platform", "linux/arm64"}});
  CHECK(got.body == signature.manifest.bytes);
  CHECK(got.header("Docker-Content-Digest") == signature.manifest.digest);
  upstream.reset();
  const auto again = gateway.get(path_of_tag);
  CHECK(again.body == signature.manifest.bytes);
  CHECK(again.header("Archway-Cache") == "stale");
}

}  // namespace
}  // namespace archway::test
