// Documents that two readers could read differently: passed on byte for byte, and nothing is
// decided by them.

#include "tests/integration/gateway.hpp"
#include "tests/integration/images.hpp"

#include <doctest/doctest.h>
#include <string>
#include <vector>

namespace archway::test {
namespace {

const std::string oci_index = "application/vnd.oci.image.index.v1+json";

std::string repeated(const std::string& text, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  const auto at = text.find(what);
  REQUIRE(at != std::string::npos);
  return text.replace(at, what.size(), by);
}

TEST_CASE(
    "an index that could be read in two ways is passed on untouched, decides nothing, counts") {
  const auto arm = make_image("linux/arm64", "arm");
  const auto amd = make_image("linux/amd64", "amd");
  const auto good = make_index({amd, arm}).bytes;
  const auto entry = R"({"mediaType":"a/b","size":1,"digest":")" + arm.manifest.digest + "\"}";
  struct Row {
    const char* why;
    std::string bytes;
  };
  const std::vector<Row> rows{
      {"the entries twice", replaced(good, "\"manifests\"", "\"manifests\":[],\"manifests\"")},
      {"twice, once escaped",
       replaced(good, "\"manifests\"", "\"m\\u0061nifests\":[],\"manifests\"")},
      {"twice, once in another case",
       replaced(good, "\"manifests\"", "\"Manifests\":[],\"manifests\"")},
      {"a digest twice", replaced(good, "\"digest\"", "\"digest\":\"sha256:0\",\"digest\"")},
      {"entries and layers", replaced(good, "\"manifests\"", "\"layers\":[],\"manifests\"")},
      {"entries and a config", replaced(good, "\"manifests\"", "\"config\":{},\"manifests\"")},
      {"another type inside",
       replaced(good, oci_index, "application/vnd.oci.image.manifest.v1+json")},
      {"a byte order mark", "\xef\xbb\xbf" + good},
      {"bytes behind the end", good + "{}"},
      {"an end that is missing", good.substr(0, good.size() - 1)},
      {"deeper than anything is",
       replaced(good, "\"manifests\"",
                "\"x\":" + repeated("[", 100) + repeated("]", 100) + ",\"manifests\"")},
      {"more entries than anything has",
       replaced(good, "\"manifests\":[", "\"manifests\":[" + repeated(entry + ",", 10'001))},
      {"a size that is no number", replaced(good, "\"size\":", "\"size\":-")},
      {"a digest that is none", replaced(good, "sha256:", "sha257:")},
  };
  ScriptedUpstream hub;
  publish(hub, "library/hi", arm);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Document document{oci_index, rows[i].bytes, digest_of(rows[i].bytes)};
    publish(hub, "library/hi", document, "t" + std::to_string(i));
  }
  Gateway gateway(hub);
  gateway.start();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    CAPTURE(rows[i].why);
    const auto got = gateway.get(manifest_path("library/hi", "t" + std::to_string(i)),
                                 {{"Archway-Platform", "linux/arm64"}});
    CHECK(got.status == 200);
    CHECK(got.body == rows[i].bytes);
    CHECK(got.header("Docker-Content-Digest") == digest_of(rows[i].bytes));
    CHECK(got.header("Content-Type") == oci_index);
  }
  CHECK(hub.count("GET", manifest_path("library/hi", arm.manifest.digest)) == 0);
  CHECK(hub.count("HEAD", manifest_path("library/hi", arm.manifest.digest)) == 0);
  // Once each time that it is fetched: it is not kept.
  CHECK(gateway.metric(
            R"(archway_upstream_errors_total{reason="manifest_not_read",upstream="docker.io"})") >=
        static_cast<double>(rows.size()));
  // Text of theirs stays text in the log: one line an event, whatever it says.
  CHECK(gateway.wait_log("it could be read in two ways"));
}

TEST_CASE(
    "where foreign layers live is nobody's business here: their addresses are never dialled") {
  ScriptedUpstream hub;
  ScriptedUpstream elsewhere;
  auto image = make_image("windows/amd64", "layer");
  image.manifest.bytes = replaced(image.manifest.bytes, "\"layers\":[{",
                                  "\"layers\":[{\"urls\":[\"" + elsewhere.url() + "/layer\"],");
  image.manifest.digest = digest_of(image.manifest.bytes);
  publish(hub, "library/hi", image.manifest, "1");
  hub.on(blob_path("library/hi", digest_of(image.layer))).answer(404);
  Gateway gateway(hub);
  gateway.settings.prefetch.layers = true;
  gateway.start();
  CHECK(gateway.get(manifest_path("library/hi", "1")).body == image.manifest.bytes);
  CHECK(gateway.get(blob_path("library/hi", digest_of(image.layer))).status == 404);
  CHECK(elsewhere.connections() == 0);
}

}  // namespace
}  // namespace archway::test
