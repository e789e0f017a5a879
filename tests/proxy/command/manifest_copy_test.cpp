#include "proxy/command/manifest_copy.hpp"

#include "tests/proxy/command/manifest_bench.hpp"

#include <doctest/doctest.h>
#include <string>
#include <vector>

namespace archway::proxy {
namespace {

Descriptor blob(const std::string& text, const std::string& type = "layer") {
  return {.media_type = type,
          .digest = *Digest::parse(test::digest_of(text)),
          .size = text.size(),
          .platform = {}};
}

/// Copies between these two repositories.
struct Copy {
  ManifestBench bench;
  std::unique_ptr<Session> session = bench.session();
  CopyTally tally;
  std::vector<std::string> shown;

  Result<void> run(const std::string& from, const std::string& to, const std::string& digest) {
    const auto source = image_of(from).image;
    const auto target = image_of(to).image;
    const CopyJob job{.from = source,
                      .registry = *session->registry(source.upstream),
                      .to = target,
                      .pusher = *session->pusher(target.upstream),
                      .tally = &tally,
                      .show = [this](const std::string& text) { shown.push_back(text); }};
    return session->run(copy_manifest(&job, *Digest::parse(digest)));
  }
};

const auto image = test::make_image("linux/arm64", "the layer");
const auto config_digest = test::digest_of(image.config);
const auto layer_digest = test::digest_of(image.layer);

TEST_CASE(
    "the blobs of a manifest are its config and its layers, each once, without foreign ones") {
  resolver::Manifest manifest;
  manifest.config = blob("config");
  manifest.layers = {blob("a"), blob("b"), blob("a"),
                     blob("w", "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"),
                     blob("n", "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd")};
  std::vector<std::string> digests;
  for (const auto& each : blobs_to_copy(manifest)) digests.push_back(each.digest.str());
  CHECK(digests ==
        std::vector{test::digest_of("config"), test::digest_of("a"), test::digest_of("b")});
  CHECK(blobs_to_copy({}).empty());
}

TEST_CASE("what the target has is not touched") {
  ScriptedRegistry registry;
  registry.hold("team/app", image);
  Copy copy;
  REQUIRE(copy.run(registry.image("a:1"), registry.image("team/app:1"), image.manifest.digest));
  CHECK(registry.writes().empty());
  CHECK(copy.tally.pushed.empty());
}

TEST_CASE("within one registry blobs are mounted, and the manifest comes last") {
  ScriptedRegistry registry;
  registry.hold("a", image);
  registry.on("/v2/team/app/blobs/uploads/").answer(201);
  registry.take_manifest("team/app", image.manifest.digest);
  Copy copy;
  REQUIRE(copy.run(registry.image("a:1"), registry.image("team/app:1"), image.manifest.digest));
  CHECK(registry.writes() ==
        std::vector<std::string>{
            "POST /v2/team/app/blobs/uploads/?mount=" + config_digest + "&from=a",
            "POST /v2/team/app/blobs/uploads/?mount=" + layer_digest + "&from=a",
            "PUT /v2/team/app/manifests/" + image.manifest.digest});
  CHECK(registry.taken("PUT", "/v2/team/app/manifests/" + image.manifest.digest) ==
        image.manifest.bytes);
  CHECK(copy.tally.mounted == 2);
  CHECK(copy.tally.pushed.size() == 1);
  CHECK_FALSE(copy.shown.empty());
}

TEST_CASE("between registries blobs that are missing are sent as they come") {
  ScriptedRegistry source;
  source.hold("a", image);
  ScriptedRegistry target;
  target.on(test::blob_path("b", config_digest)).answer(200);
  target.on("/v2/b/blobs/uploads/").answer(202).header("Location", "/v2/b/blobs/uploads/u1?s=1");
  target.on("/v2/b/blobs/uploads/u1").answer(201);
  target.take_manifest("b", image.manifest.digest);
  Copy copy;
  REQUIRE(copy.run(source.image("a:1"), target.image("b:1"), image.manifest.digest));
  REQUIRE(target.writes().size() == 3);
  CHECK(target.writes()[0] == "POST /v2/b/blobs/uploads/");
  CHECK(target.taken("PUT", "/v2/b/blobs/uploads/u1") == image.layer);
  CHECK(target.writes()[2] == "PUT /v2/b/manifests/" + image.manifest.digest);
  CHECK(copy.tally.present == 1);
  CHECK(copy.tally.copied == 1);
  CHECK(copy.tally.bytes == image.layer.size());
  CHECK(source.writes().empty());
}

TEST_CASE("a registry that would rather have the bytes than mount gets them") {
  ScriptedRegistry registry;
  registry.hold("a", image);
  registry.on("/v2/b/blobs/uploads/").answer(202).header("Location", "/v2/b/blobs/uploads/u1");
  registry.on("/v2/b/blobs/uploads/u1").answer(201);
  registry.take_manifest("b", image.manifest.digest);
  Copy copy;
  REQUIRE(copy.run(registry.image("a:1"), registry.image("b:1"), image.manifest.digest));
  CHECK(copy.tally.mounted == 0);
  CHECK(copy.tally.copied == 2);
}

TEST_CASE("of an index the entries come before the index") {
  const auto other = test::make_image("linux/amd64", "another layer");
  const auto index = test::make_index({image, other});
  ScriptedRegistry registry;
  registry.hold("a", image);
  registry.hold("a", other);
  test::publish(registry, "a", index);
  registry.on("/v2/b/blobs/uploads/").answer(201);
  for (const auto& document : {image.manifest, other.manifest, index}) {
    registry.take_manifest("b", document.digest);
  }
  Copy copy;
  REQUIRE(copy.run(registry.image("a:1"), registry.image("b:1"), index.digest));
  REQUIRE(copy.tally.pushed.size() == 3);
  CHECK(copy.tally.pushed[0].str() == image.manifest.digest);
  CHECK(copy.tally.pushed[1].str() == other.manifest.digest);
  CHECK(copy.tally.pushed[2].str() == index.digest);
}

TEST_CASE("an error names what could not be copied from where to where, and nothing is put") {
  ScriptedRegistry source;
  source.hold("a", image);
  ScriptedRegistry broken;
  test::publish(broken, "a", image.manifest);
  broken.on(test::blob_path("a", config_digest)).answer(200).body(image.config).wrong_byte(2);
  ScriptedRegistry target;
  target.on("/v2/b/blobs/uploads/").answer(403).error("DENIED", "read only");
  ScriptedRegistry taking;
  taking.on("/v2/b/blobs/uploads/").answer(202).header("Location", "/v2/b/blobs/uploads/u1");
  struct Row {
    const char* why;
    ScriptedRegistry* from;
    ScriptedRegistry* to;
    std::string what;
    std::string because;
  };
  const auto missing = test::make_image("linux/s390x", "nowhere").manifest.digest;
  const Row rows[] = {
      {"the target refuses", &source, &target, "blob " + config_digest, "read only"},
      {"the source has other bytes", &broken, &taking, "blob " + config_digest, config_digest},
      {"the source lacks it", &source, &taking, "manifest " + missing, "no such image"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.why);
    Copy copy;
    const bool lacks = row.what.ends_with(missing);
    const auto done = copy.run(row.from->image("a:1"), row.to->image("b:1"),
                               lacks ? missing : image.manifest.digest);
    REQUIRE_FALSE(done);
    CHECK(done.error().message.starts_with("cannot copy the " + row.what + " from " +
                                           row.from->image("a") + " to " + row.to->image("b") +
                                           ": "));
    CHECK(contains(done.error().message, row.because));
    CHECK(copy.tally.pushed.empty());
    CHECK(row.to->taken("PUT", "/v2/b/manifests/" + image.manifest.digest).empty());
  }
}

TEST_CASE("indexes within indexes come to an end") {
  ScriptedRegistry registry;
  auto inner = test::make_index({image});
  for (int depth = 0; depth < 6; ++depth) {
    test::publish(registry, "a", inner);
    test::Document outer{.media_type = inner.media_type};
    outer.bytes = R"({"schemaVersion":2,"mediaType":")" + inner.media_type +
                  R"(","manifests":[{"mediaType":")" + inner.media_type + R"(","digest":")" +
                  inner.digest + R"(","size":)" + std::to_string(inner.bytes.size()) + "}]}";
    outer.digest = test::digest_of(outer.bytes);
    inner = outer;
  }
  test::publish(registry, "a", inner);
  Copy copy;
  const auto done = copy.run(registry.image("a:1"), registry.image("b:1"), inner.digest);
  REQUIRE_FALSE(done);
  CHECK(contains(done.error().message, "indexes are nested too deep"));
  CHECK(registry.writes().empty());
}

}  // namespace
}  // namespace archway::proxy
