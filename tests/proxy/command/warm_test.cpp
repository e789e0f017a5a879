// The command as it is run: its text is what is tested.

#include "tests/proxy/command/pull_bench.hpp"
#include "tests/proxy/config/reading.hpp"

#include <boost/json/parse.hpp>
#include <doctest/doctest.h>
#include <string>

namespace archway::proxy {
namespace {

const auto image = test::make_image("linux/amd64", "the layer of the image");
const auto layer_path = test::blob_path("docker.io/library/app", test::digest_of(image.layer));

TEST_CASE("warm brings every part of an image through the gateway") {
  PullBench bench;
  bench.gateway.hold("docker.io/library/app", image, "1");
  CHECK(bench.run_here({"warm", "app:1"}) == exits::ok);
  CHECK(bench.gateway.count("GET", layer_path) == 1);
  const auto size = std::to_string(image.config.size() + image.layer.size()) + " B";
  CHECK(bench.printed() == "docker.io/library/app:1\tas it is\t" + size + "\t" + size + "\n");
  CHECK(bench.complained() ==
        "archway warm: 1 of 1 image is in the cache, " + size + " were fetched\n");
}

TEST_CASE("warm leaves what is cached, and says so in JSON") {
  PullBench bench;
  bench.know();
  bench.gateway.hold("docker.io/library/app", image, "1");
  bench.admin.on("/api/v1/cached")
      .answer(200)
      .json("{\"" + test::digest_of(image.layer) + R"(":{"manifest":false,"blob":true}})")
      .close();
  CHECK(bench.run_here({"warm", "app:1", "--json"}, true) == exits::ok);
  CHECK(bench.gateway.count("GET", layer_path) == 0);
  const auto json = boost::json::parse(bench.printed());
  CHECK(json.at(0).at("image").as_string() == "docker.io/library/app:1");
  CHECK(json.at(0).at("brought_bytes") == image.config.size());
  CHECK(json.at(0).at("error").is_null());
}

TEST_CASE("warm says for each image why it failed, and brings the others") {
  PullBench bench;
  bench.gateway.hold("docker.io/library/app", image, "1");
  CHECK(bench.run_here({"warm", "gone:1", "app:1", "-q"}) == exits::failed);
  CHECK(bench.gateway.count("GET", layer_path) == 1);
  CHECK(bench.printed().empty());
  CHECK(contains(bench.complained(), "archway warm: "));
}

TEST_CASE("warm reads images from a file") {
  PullBench bench;
  bench.gateway.hold("docker.io/library/app", image, "1");
  const TempFolder folder;
  const auto compose = folder.write("compose.yaml", "services: {a: {image: 'app:1'}}\n");
  CHECK(bench.run_here({"warm", "--from-file", compose}) == exits::ok);
  CHECK(bench.gateway.count("GET", layer_path) == 1);
  CHECK(bench.run_here({"warm", "-f", folder.write("empty", "")}) == exits::usage);
  CHECK(contains(bench.complained(), "there is no image in it"));
}

TEST_CASE("warm without images, or with a platform that is none, is a mistake") {
  PullBench bench;
  CHECK(bench.run_here({"warm"}) == exits::usage);
  CHECK(contains(bench.complained(), "--from-file"));
  CHECK(bench.run_here({"warm", "app:1", "--platform", "a/b/c/d"}) == exits::usage);
  CHECK(bench.run_here({"warm", "app:1", "--at-once", "0"}) == exits::usage);
}

}  // namespace
}  // namespace archway::proxy
