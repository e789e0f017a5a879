#include "proxy/command/manifest_view.hpp"

#include "tests/proxy/command/manifest_bench.hpp"

#include <boost/json/parse.hpp>
#include <doctest/doctest.h>
#include <string>

namespace archway::proxy {
namespace {

constexpr const char* amd64 =
    "sha256:4eb3c073498e89e00f48286c459fe7b7378c347cad2daea04768b15954655a1f";
constexpr const char* arm64 =
    "sha256:6d900cd34459f36681a1c04bca0a7c01376625e245dc471de314551486cc8a4d";
constexpr const char* attestation =
    "sha256:c4a6d922a29eb7a71ab75cbed51dea32bf92a8ad2ea9ec19278fcad46e6fd96f";

Inspection inspection_of(const std::string& bytes, std::string_view type) {
  return {.name = "localhost:5000/app:1",
          .document = {.digest = *Digest::parse(test::digest_of(bytes)),
                       .media_type = std::string(type),
                       .bytes = bytes,
                       .manifest = resolver::parse_manifest(bytes, type)}};
}

std::string entry(const std::string& digest, const std::string& more) {
  return R"({"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":")" + digest +
         R"(","size":671)" + more + "}";
}

/// Two images, and what is attested about the first.
std::string attested() {
  return R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[)" +
         entry(amd64, R"(,"platform":{"architecture":"amd64","os":"linux"})") + "," +
         entry(
             arm64,
             R"(,"platform":{"os":"linux","architecture":"arm64","variant":"v8","features":["x"],)"
             R"("os.features":["b","a"],"of":"no interest"},"urls":["http://a"])") +
         "," +
         entry(attestation,
               R"(,"platform":{"architecture":"unknown","os":"unknown"},"annotations":)"
               R"({"vnd.docker.reference.type":"attestation-manifest",)"
               R"("vnd.docker.reference.digest":")" +
                   std::string(amd64) + "\"}") +
         R"(],"annotations":{"a":"b"}})";
}

constexpr const char* single =
    R"({"schemaVersion":2,"config":{"mediaType":"c","digest":"sha256:)"
    R"(4eb3c073498e89e00f48286c459fe7b7378c347cad2daea04768b15954655a1f","size":600},)"
    R"("layers":[{"mediaType":"l","digest":"sha256:)"
    R"(6d900cd34459f36681a1c04bca0a7c01376625e245dc471de314551486cc8a4d","size":2048}]})";

TEST_CASE("an index is a table of its images, attestations apart") {
  auto inspection = inspection_of(attested(), media_type::oci_index);
  inspection.entries = {{.bytes = 3 * 1024 * 1024, .cached = "yes"}, {.note = "missing"}, {}};
  const std::string digest = inspection.document.digest.str();
  CHECK(
      inspection_table(inspection, true) ==
      "Name:       localhost:5000/app:1\n"
      "Media type: application/vnd.oci.image.index.v1+json\n"
      "Digest:     " +
          digest +
          "\n"
          "\n"
          "PLATFORM           DIGEST                                                               "
          "    SIZE     CACHED\n"
          "linux/amd64        " +
          std::string(amd64) +
          "  3.0 MiB  yes\n"
          "linux(+a+b)/arm64  " +
          std::string(arm64) +
          "  missing  -\n"
          "\n"
          "ATTESTATION OF  DIGEST\n"
          "linux/amd64     " +
          std::string(attestation) + "\n");
  CHECK(inspection_table(inspection, false) == "linux/amd64\t" + std::string(amd64) +
                                                   "\t3145728\tyes\n"
                                                   "linux(+a+b)/arm64\t" +
                                                   std::string(arm64) + "\tmissing\t-\n");
}

TEST_CASE("what is cached has a column only where a gateway said something") {
  auto inspection = inspection_of(attested(), media_type::oci_index);
  inspection.entries = {{.bytes = 1}, {.bytes = 2}, {}};
  const auto table = inspection_table(inspection, true);
  CHECK(contains(table, "SIZE\n"));
  CHECK_FALSE(contains(table, "CACHED"));
}

TEST_CASE("a single manifest is shown as itself") {
  auto inspection = inspection_of(single, media_type::oci_manifest);
  inspection.platform = Platform{.os = "linux", .architecture = "arm64", .variant = "v8"};
  inspection.cached = "partly";
  const auto table = inspection_table(inspection, true);
  CHECK(contains(table, "\nPlatform:   linux/arm64\n"));
  CHECK(contains(table, "\nSize:       2.6 KiB\n"));
  CHECK(contains(table, "\nCached:     partly\n"));
  CHECK(contains(table, "\nconfig  " + std::string(amd64) + "    600 B\n"));
  CHECK(contains(table, "\nlayer   " + std::string(arm64) + "  2.0 KiB\n"));
  CHECK(inspection_table(inspection, false) ==
        "config\t" + std::string(amd64) + "\t600\nlayer\t" + std::string(arm64) + "\t2048\n");
}

TEST_CASE("what cannot be read is named, not guessed") {
  const auto inspection = inspection_of("{}", "application/vnd.example+json");
  const auto table = inspection_table(inspection, true);
  CHECK(contains(table, "\nNot read:   its type is none that is interpreted\n"));
  CHECK_FALSE(contains(table, "PART"));
  CHECK(inspection_table(inspection, false).empty());
  CHECK(*inspection_json(inspection, false) == "{}\n");
}

TEST_CASE("JSON of an index is what docker manifest inspect prints, letter for letter") {
  const auto json = inspection_json(inspection_of(attested(), media_type::oci_index), false);
  REQUIRE(json);
  CHECK(*json == R"({
   "schemaVersion": 2,
   "mediaType": "application/vnd.oci.image.index.v1+json",
   "manifests": [
      {
         "mediaType": "application/vnd.oci.image.manifest.v1+json",
         "size": 671,
         "digest": "sha256:4eb3c073498e89e00f48286c459fe7b7378c347cad2daea04768b15954655a1f",
         "platform": {
            "architecture": "amd64",
            "os": "linux"
         }
      },
      {
         "mediaType": "application/vnd.oci.image.manifest.v1+json",
         "size": 671,
         "digest": "sha256:6d900cd34459f36681a1c04bca0a7c01376625e245dc471de314551486cc8a4d",
         "platform": {
            "architecture": "arm64",
            "os": "linux",
            "os.features": [
               "b",
               "a"
            ],
            "variant": "v8",
            "features": [
               "x"
            ]
         }
      },
      {
         "mediaType": "application/vnd.oci.image.manifest.v1+json",
         "size": 671,
         "digest": "sha256:c4a6d922a29eb7a71ab75cbed51dea32bf92a8ad2ea9ec19278fcad46e6fd96f",
         "platform": {
            "architecture": "unknown",
            "os": "unknown"
         }
      }
   ]
}
)");
}

TEST_CASE("JSON of a single manifest is the manifest, indented by tabs") {
  const auto json = inspection_json(inspection_of(single, media_type::oci_manifest), false);
  REQUIRE(json);
  CHECK(
      json->starts_with("{\n\t\"schemaVersion\": 2,\n\t\"config\": {\n\t\t\"mediaType\": \"c\","));
  CHECK(boost::json::parse(*json) == boost::json::parse(single));
}

TEST_CASE("verbose JSON adds what was found out") {
  auto inspection = inspection_of(attested(), media_type::oci_index);
  inspection.entries = {{.bytes = 17, .cached = "no"}, {.note = "missing"}, {}};
  const auto index = boost::json::parse(*inspection_json(inspection, true));
  CHECK(index.at("digest") == boost::json::value(inspection.document.digest.str()));
  const auto& first = index.at("manifests").at(0).as_object();
  CHECK(first.at("imageSize") == boost::json::value(17));
  CHECK(first.at("cached") == boost::json::value("no"));
  CHECK_FALSE(index.at("manifests").at(1).as_object().contains("imageSize"));

  auto image = inspection_of(single, media_type::oci_manifest);
  image.platform = Platform{.os = "linux", .architecture = "arm64"};
  const auto described = boost::json::parse(*inspection_json(image, true));
  CHECK(described.at("name") == boost::json::value("localhost:5000/app:1"));
  CHECK(described.at("imageSize") == boost::json::value(2648));
  CHECK(described.at("platform").at("os") == boost::json::value("linux"));
  CHECK(described.at("manifest") == boost::json::parse(single));
}

}  // namespace
}  // namespace archway::proxy
