#include "proxy/command/manifest_fetch.hpp"

#include "tests/proxy/command/manifest_bench.hpp"

#include <doctest/doctest.h>
#include <string>

namespace archway::proxy {
namespace {

Repository repository(const char* name) {
  return *Repository::parse(name);
}

Descriptor descriptor_of(const std::string& bytes) {
  return {.media_type = "application/vnd.oci.image.config.v1+json",
          .digest = *Digest::parse(test::digest_of(bytes)),
          .size = bytes.size(),
          .platform = {}};
}

TEST_CASE("a manifest is taken only with the bytes that its digest names") {
  const auto image = test::make_image("linux/arm64", "layer");
  const auto other = test::make_image("linux/amd64", "other");
  ScriptedRegistry registry;
  registry.hold("app", image, "1");
  registry.on("/v2/app/manifests/lied")
      .answer(200)
      .header("Content-Type", image.manifest.media_type)
      .header("Docker-Content-Digest", other.manifest.digest)
      .body(image.manifest.bytes);
  registry.on("/v2/app/manifests/" + other.manifest.digest)
      .answer(200)
      .header("Content-Type", image.manifest.media_type)
      .body(image.manifest.bytes);
  registry.on("/v2/app/manifests/silent")
      .answer(200)
      .header("Content-Type", image.manifest.media_type)
      .body(image.manifest.bytes);
  ManifestBench bench;
  const auto session = bench.session();
  auto* const client = *session->registry(registry.host());
  for (const char* const good : {"1", "silent"}) {
    CAPTURE(good);
    const auto got =
        session->run(fetch_manifest(client, repository("app"), *parse_reference(good)));
    REQUIRE(got);
    CHECK(got->bytes == image.manifest.bytes);
    CHECK(got->digest.str() == image.manifest.digest);
    CHECK(got->manifest.layers.size() == 1);
  }
  for (const auto& bad : {std::string("lied"), other.manifest.digest}) {
    CAPTURE(bad);
    const auto got = session->run(fetch_manifest(client, repository("app"), *parse_reference(bad)));
    REQUIRE_FALSE(got);
    CHECK(got.error().message == "app@" + other.manifest.digest +
                                     ": the registry sent other bytes, their digest is " +
                                     image.manifest.digest);
  }
}

TEST_CASE("a config says its platform letter for letter, or nothing") {
  struct Row {
    const char* why;
    std::string config;
    const char* want;  ///< "/" : nothing
  };
  const Row rows[] = {
      {"an image", R"({"os":"linux","architecture":"arm64","variant":"v8"})", "linux/arm64/v8"},
      {"no variant is added", R"({"os":"linux","architecture":"arm"})", "linux/arm"},
      {"Windows", R"({"os":"windows","architecture":"amd64","os.version":"10.0.20348.1"})",
       "windows(10.0.20348.1)/amd64"},
      {"an artifact", "{}", "/"},
      {"no JSON", "chart: yes", "/"},
      {"two answers", R"({"os":"linux","os":"windows","architecture":"amd64"})", "/"},
  };
  ScriptedRegistry registry;
  for (const Row& row : rows) {
    registry.on(test::blob_path("app", test::digest_of(row.config))).answer(200).body(row.config);
  }
  ManifestBench bench;
  const auto session = bench.session();
  auto* const client = *session->registry(registry.host());
  for (const Row& row : rows) {
    CAPTURE(row.why);
    const auto got =
        session->run(fetch_platform(client, repository("app"), descriptor_of(row.config)));
    REQUIRE(got);
    CHECK(got->str() == row.want);
  }
}

TEST_CASE("a config with other bytes, or too many, is not believed") {
  ScriptedRegistry registry;
  const std::string config = R"({"os":"linux","architecture":"arm64"})";
  registry.on(test::blob_path("app", test::digest_of(config)))
      .answer(200)
      .body(config)
      .wrong_byte(3);
  ManifestBench bench;
  const auto session = bench.session();
  auto* const client = *session->registry(registry.host());
  const auto wrong = session->run(fetch_platform(client, repository("app"), descriptor_of(config)));
  REQUIRE_FALSE(wrong);
  CHECK(contains(wrong.error().message, "the registry sent other bytes"));

  auto large = descriptor_of("x");
  large.size = resolver::manifest_bytes_max + 1;
  const auto refused = session->run(fetch_platform(client, repository("app"), large));
  REQUIRE_FALSE(refused);
  CHECK(contains(refused.error().message, "is larger than 4 MiB"));
  CHECK(registry.count("GET", test::blob_path("app", test::digest_of("x"))) == 0);
}

TEST_CASE("attestations are told by annotation or platform") {
  auto entry = descriptor_of("x");
  CHECK_FALSE(is_attestation(entry));
  entry.platform = Platform{.os = "unknown", .architecture = "unknown"};
  CHECK(is_attestation(entry));
  entry.platform = Platform{.os = "linux", .architecture = "unknown"};
  CHECK_FALSE(is_attestation(entry));
  entry.reference_type = "attestation-manifest";
  CHECK(is_attestation(entry));
}

TEST_CASE("a port is no tag") {
  for (const char* const with : {"app:1", "localhost:5000/app:1", "a/b@sha256:0"}) {
    CAPTURE(with);
    CHECK(names_version(with));
  }
  for (const char* const without : {"app", "localhost:5000/app", "a.b/c/d"}) {
    CAPTURE(without);
    CHECK_FALSE(names_version(without));
  }
}

TEST_CASE("a gateway is asked for an image by its whole name") {
  const auto there = through_gateway(image_of("alpine:3"), "gw.lan:5000");
  REQUIRE(there);
  CHECK(there->str() == "gw.lan:5000/docker.io/library/alpine:3");
  const auto port = through_gateway(image_of("registry.lan:5000/app:1"), "gw.lan:5000");
  REQUIRE_FALSE(port);
  CHECK(contains(port.error().message, "\"registry.lan:5000\" has a port"));
}

}  // namespace
}  // namespace archway::proxy
