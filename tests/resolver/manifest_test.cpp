#include "resolver/manifest.hpp"

#include <doctest/doctest.h>
#include <string>

using namespace archway::resolver;
using archway::ManifestKind;
namespace media_type = archway::media_type;

namespace {

const std::string digest = "sha256:" + std::string(64, 'a');
const std::string other_digest = "sha512:" + std::string(128, 'b');

std::string descriptor(const std::string& more = "") {
  return R"({"mediaType":"m","size":7,"digest":")" + digest + "\"" + more + "}";
}

Manifest index(const std::string& entries) {
  return parse_manifest(R"({"schemaVersion":2,"manifests":[)" + entries + "]}",
                        media_type::oci_index);
}

Manifest image(const std::string& members) {
  return parse_manifest("{" + members + "}", media_type::oci_manifest);
}

const std::string config = R"("config":)" + descriptor();

}  // namespace

TEST_CASE("an index is read, in its order, with normal platforms") {
  const auto m = parse_manifest(
      R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[
          {"mediaType":"application/vnd.oci.image.manifest.v1+json","size":1,"digest":")" +
          digest + R"(","platform":{"os":"Linux","architecture":"aarch64","variant":"v8",
          "os.version":"1","os.features":["b","a"]},"urls":["http://evil.io"]},
          {"mediaType":"m","size":9223372036854775807,"digest":")" +
          other_digest + R"(","platform":{"architecture":"unknown","os":"unknown"},
          "annotations":{"vnd.docker.reference.type":"attestation-manifest","x":"y"}}],
          "subject":{"mediaType":"s","size":3,"digest":")" +
          digest + R"("},"artifactType":"a/b","later":{"x":[1,2]}})",
      media_type::oci_index);
  CHECK(m.interpretable);
  CHECK(m.why.empty());
  CHECK(m.kind == ManifestKind::index);
  CHECK(m.media_type == std::string(media_type::oci_index));
  REQUIRE(m.manifests.size() == 2);
  CHECK(m.manifests[0].media_type == std::string(media_type::oci_manifest));
  CHECK(m.manifests[0].digest.str() == digest);
  CHECK(m.manifests[0].size == 1);
  CHECK(m.manifests[0].platform->str() == "linux(1+a+b)/arm64");
  CHECK(m.manifests[0].reference_type.empty());
  CHECK(m.manifests[1].digest.str() == other_digest);
  CHECK(m.manifests[1].size == 9223372036854775807);
  CHECK(m.manifests[1].platform->str() == "unknown/unknown");
  CHECK(m.manifests[1].reference_type == "attestation-manifest");
  CHECK(m.subject->str() == digest);
  CHECK(m.artifact_type == "a/b");
  CHECK(!m.config);
  CHECK(m.layers.empty());
}

TEST_CASE("a manifest is read with config and layers, of both families") {
  for (const auto type : {media_type::oci_manifest, media_type::docker_manifest}) {
    const auto m =
        parse_manifest("{" + config + R"(,"layers":[)" + descriptor() + "," + descriptor() +
                           R"(],"mediaType":")" + std::string(type) + "\"}",
                       type);
    CHECK(m.interpretable);
    CHECK(m.kind == ManifestKind::manifest);
    CHECK(m.config->digest.str() == digest);
    CHECK(m.layers.size() == 2);
    CHECK(!m.subject);
  }
  const auto list = parse_manifest(R"({"manifests":[]})", media_type::docker_list);
  CHECK(list.interpretable);
  CHECK(list.kind == ManifestKind::index);
}

TEST_CASE("what is allowed to be absent may be absent or null") {
  CHECK(index("").interpretable);
  CHECK(parse_manifest(R"({"manifests":null})", media_type::oci_index).interpretable);
  CHECK(image(config).interpretable);
  CHECK(image(config + R"(,"layers":null,"subject":null,"mediaType":null)").interpretable);
  CHECK(!index(descriptor()).manifests[0].platform);
  for (const std::string platform : {"null", "{}", R"({"os":"","architecture":""})"}) {
    CAPTURE(platform);
    const auto m = index(descriptor(R"(,"annotations":null,"platform":)" + platform));
    REQUIRE(m.interpretable);
    CHECK(!m.manifests[0].platform);
  }
  const auto half = index(descriptor(R"(,"platform":{"architecture":"arm64"})"));
  CHECK(half.manifests[0].platform->str() == "/arm64");
}

TEST_CASE("an attestation says which image it is about, when it says so validly") {
  struct Row {
    std::string why;
    std::string annotations;
    std::string want;  // "" : nothing
  };
  const Row rows[] = {
      {"as BuildKit writes it",
       R"({"vnd.docker.reference.type":"attestation-manifest","vnd.docker.reference.digest":")" +
           other_digest + "\"}",
       other_digest},
      {"no annotations", "null", ""},
      {"other annotations", R"({"x":"y"})", ""},
      {"no digest", R"({"vnd.docker.reference.digest":"latest"})", ""},
      {"null", R"({"vnd.docker.reference.digest":null})", ""},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    const auto m = index(descriptor(R"(,"annotations":)" + row.annotations));
    REQUIRE(m.interpretable);
    const auto& about = m.manifests[0].about;
    CHECK((about ? about->str() : "") == row.want);
  }
}

TEST_CASE("parameters of the Content-Type are kept but not compared") {
  const auto type = std::string(media_type::oci_index) + " ; charset=utf-8";
  const auto m = parse_manifest(R"({"mediaType":"application/vnd.oci.image.index.v1+json",
                                    "manifests":[]})",
                                type);
  CHECK(m.interpretable);
  CHECK(m.media_type == type);
}

TEST_CASE("a document that two readers could read differently is not interpreted") {
  struct Row {
    std::string why;
    std::string_view type;
    std::string bytes;
    std::string says;
  };
  const auto oci_index = media_type::oci_index;
  const auto oci_manifest = media_type::oci_manifest;
  const auto entry = [](const std::string& text) { return R"({"manifests":[)" + text + "]}"; };
  const auto sized = [&](const std::string& size) {
    return entry(R"({"size":)" + size + R"(,"digest":")" + digest + "\"}");
  };
  const auto on = [&](const std::string& platform) {
    return entry(descriptor(R"(,"platform":)" + platform));
  };
  const Row rows[] = {
      {"another family", oci_index,
       R"({"mediaType":"application/vnd.docker.distribution.manifest.list.v2+json","manifests":[]})",
       "calls itself something else"},
      {"a manifest as index", oci_index, "{" + config + "}", "what makes its type is missing"},
      {"an index as manifest", oci_manifest, R"({"manifests":[]})",
       "what makes its type is missing"},
      {"both (CVE-2021-41190)", oci_index, R"({"manifests":[],"layers":[]})", "both manifests and"},
      {"both, the other way", oci_manifest, "{" + config + R"(,"manifests":[]})", "both manifests"},
      {"a key twice", oci_index, R"({"manifests":[],"manifests":[]})", "the same key twice"},
      {"an unknown key twice", oci_index, R"({"manifests":[],"x":1,"x":1})", "the same key twice"},
      {"a key twice, once escaped", oci_index, R"({"manifests":[],"manifest\u0073":[]})",
       "the same key twice"},
      {"a key in another case", oci_index, R"({"Manifests":[]})", "\"manifests\" in another case"},
      {"a key twice in two cases", oci_index, R"({"manifests":[],"X":1,"x":1})", "key twice"},
      {"a key with a long s", oci_index,
       R"({"manifests":[],"manife)"
       "\xc5\xbf"
       R"(ts":[]})",
       "another case"},
      {"a key with a Kelvin sign", oci_index,
       R"({"manifests":[],"k":1,")"
       "\xe2\x84\xaa"
       R"(":1})",
       "key twice"},
      {"a key twice in an entry", oci_index,
       entry(descriptor(R"(,"digest":")" + other_digest + "\"")), "the same key twice"},
      {"a key twice in a platform", oci_index, on(R"({"os":"linux","os":"windows"})"), "key twice"},
      {"a platform's key in another case", oci_index, on(R"({"OS":"linux"})"), "another case"},
      {"an annotation twice", oci_index,
       entry(descriptor(
           R"(,"annotations":{"vnd.docker.reference.type":"a","vnd.docker.reference.type":"b"})")),
       "the same key twice"},
      {"a reference twice", oci_index,
       entry(descriptor(
           R"(,"annotations":{"vnd.docker.reference.digest":"","vnd.docker.reference.digest":""})")),
       "the same key twice"},
      {"a reference that is a number", oci_index,
       entry(descriptor(R"(,"annotations":{"vnd.docker.reference.digest":1})")),
       "an annotation is no text"},
      {"a byte order mark", oci_index, "\xef\xbb\xbf{\"manifests\":[]}", "a byte order mark"},
      {"bytes behind", oci_index, R"({"manifests":[]}{})", "it is not JSON"},
      {"bytes cut off", oci_index, R"({"manifests":[)", "it is not JSON"},
      {"a word that is none", oci_index, R"({"manifests":[],"x":tru})", "it is not JSON"},
      {"broken UTF-8", oci_index, "{\"manifests\":[],\"x\":\"\xff\"}", "it is not JSON"},
      {"nothing", oci_index, "", "it is not JSON"},
      {"a list", oci_index, "[]", "it is no JSON object"},
      {"no list", oci_index, R"({"manifests":{}})", "manifests is no list"},
      {"an entry that is none", oci_index, entry("1"), "a descriptor is no object"},
      {"no digest", oci_index, entry(R"({"size":1})"), "no valid digest"},
      {"an unknown digest", oci_index, entry(R"({"size":1,"digest":"md5:1"})"), "no valid digest"},
      {"a digest that is a number", oci_index, entry(R"({"size":1,"digest":1})"), "is no text"},
      {"no size", oci_index, entry(R"({"digest":")" + digest + "\"}"), "no valid size"},
      {"a size below zero", oci_index, sized("-1"), "no valid size"},
      {"a size of 2^63", oci_index, sized("9223372036854775808"), "no valid size"},
      {"a size beyond 64 bits", oci_index, sized("18446744073709551616"), "it is not JSON"},
      {"a size with an exponent", oci_index, sized("1e3"), "no valid size"},
      {"a size as text", oci_index, sized("\"1\""), "no valid size"},
      {"a media type that is a number", oci_index, R"({"mediaType":1,"manifests":[]})", "no text"},
      {"a platform that is text", oci_index, on("\"linux\""), "a platform is no object"},
      {"a system that is a number", oci_index, on(R"({"os":1})"), "a platform has a member"},
      {"a system with a NUL", oci_index, on(R"({"os":"lin\u0000ux"})"), "a platform has a member"},
      {"a system with a line break", oci_index, on(R"({"os":"a\r\nb"})"),
       "a platform has a member"},
      {"a long variant", oci_index, on(R"({"variant":")" + std::string(129, 'a') + "\"}"),
       "a platform has a member"},
      {"features that are text", oci_index, on(R"({"os.features":"a"})"), "no short list"},
      {"features that are numbers", oci_index, on(R"({"os.features":[1]})"), "else than words"},
      {"annotations that are text", oci_index, entry(descriptor(R"(,"annotations":"a")")),
       "annotations are no object"},
      {"a config that is null", oci_manifest, R"({"config":null})", "its config is null"},
      {"a config without a digest", oci_manifest, R"({"config":{}})", "no valid digest"},
      {"a layer without a digest", oci_manifest, "{" + config + R"(,"layers":[{}]})",
       "no valid digest"},
      {"a subject without a digest", oci_index, R"({"manifests":[],"subject":{}})",
       "no valid digest"},
      {"an artifact type that is a number", oci_index, R"({"manifests":[],"artifactType":1})",
       "its artifactType is no text"},
      {"schema 1", "application/vnd.docker.distribution.manifest.v1+prettyjws", "{}",
       "its type is none that is interpreted"},
      {"no type", "", R"({"manifests":[]})", "its type is none that is interpreted"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    const auto m = parse_manifest(row.bytes, row.type);
    CHECK(!m.interpretable);
    CAPTURE(m.why);
    CHECK(m.why.find(row.says) != std::string::npos);
    CHECK(m.kind == archway::kind_of(row.type));
    CHECK(m.media_type == row.type);
    CHECK(m.manifests.empty());
    CHECK(m.layers.empty());
    CHECK(!m.config);
  }
}

TEST_CASE("depth, entries and bytes have bounds, and what is just within them is read") {
  const auto nested = [](std::size_t depth) {  // of which one level is the document's own object
    return R"({"manifests":[],"x":)" + std::string(depth - 1, '[') + std::string(depth - 1, ']') +
           "}";
  };
  const auto of = [](const std::string& bytes) {
    return parse_manifest(bytes, media_type::oci_index);
  };
  CHECK(of(nested(manifest_depth_max)).interpretable);
  CHECK(of(nested(manifest_depth_max + 1)).why == "it is nested deeper than 64 levels");
  CHECK(of(nested(100'000)).why == "it is nested deeper than 64 levels");

  std::string entries = descriptor();
  for (std::size_t i = 1; i < manifest_entries_max; ++i) entries += "," + descriptor();
  CHECK(index(entries).manifests.size() == manifest_entries_max);
  CHECK(index(entries + "," + descriptor()).why == "manifests has over 10,000 entries");

  const std::string small = R"({"manifests":[]})";
  const auto spaces = std::string(manifest_bytes_max - small.size(), ' ');
  CHECK(of(small + spaces).interpretable);
  CHECK(of(small + spaces + " ").why == "it is larger than 4 MiB");
}

TEST_CASE("a reader is not confused by the document it has read before") {
  CHECK(!parse_manifest("{", media_type::oci_index).interpretable);
  CHECK(index(descriptor()).interpretable);
  CHECK(index(descriptor() + std::string(1'000'000, ' ')).interpretable);
  CHECK(index(descriptor()).manifests.size() == 1);
}

TEST_CASE("a config says what an image runs on") {
  struct Row {
    std::string why;
    std::string bytes;
    std::string want;  // "" for none
  };
  const Row rows[] = {
      {"as it is", R"({"architecture":"amd64","os":"linux","rootfs":{}})", "linux/amd64"},
      {"normalised", R"({"architecture":"arm","os":"linux"})", "linux/arm/v7"},
      {"a Windows", R"({"architecture":"amd64","os":"windows","os.version":"10.0.20348.1"})",
       "windows(10.0.20348.1)/amd64"},
      {"no architecture", R"({"os":"linux"})", ""},
      {"no system", R"({"architecture":"amd64"})", ""},
      {"an artifact's", "{}", ""},
      {"no JSON", "\x1f\x8b", ""},
      {"nothing", "", ""},
      {"a list", "[]", ""},
      {"a key twice", R"({"architecture":"amd64","os":"linux","os":"windows"})", ""},
      {"a number", R"({"architecture":1,"os":"linux"})", ""},
      {"a line break", R"({"architecture":"amd64\n","os":"linux"})", ""},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    const auto platform = parse_config_platform(row.bytes);
    CHECK((platform ? platform->str() : "") == row.want);
  }
}
