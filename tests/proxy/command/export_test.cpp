// The command as it is run: its text is what is tested.

#include "proxy/command/output.hpp"
#include "proxy/command/tar_file.hpp"
#include "tests/proxy/command/pull_bench.hpp"

#include <boost/json/parse.hpp>
#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace archway::proxy {
namespace {

namespace fs = std::filesystem;

const auto amd64 = test::make_image("linux/amd64", "for amd64");
const auto arm64 = test::make_image("linux/arm64", "for arm64");
const auto index_of_two = test::make_index({amd64, arm64});
constexpr const char* repository = "docker.io/library/app";

std::string read(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

std::string blob_in(const fs::path& folder, const std::string& digest) {
  return read(folder / "blobs" / "sha256" / digest.substr(digest.find(':') + 1));
}

void publish_two(PullBench& bench) {
  for (const auto& image : {amd64, arm64}) bench.gateway.hold(repository, image);
  test::publish(bench.gateway, repository, index_of_two, "1");
}

TEST_CASE("export writes the index as it is, and the parts of the platforms that were asked for") {
  PullBench bench;
  publish_two(bench);
  const auto folder = bench.home.path() / "out";
  CHECK(bench.run_here({"export", folder.string(), "app:1", "--platform", "linux/arm64"}) ==
        exits::ok);
  CHECK(blob_in(folder, index_of_two.digest) == index_of_two.bytes);
  CHECK(blob_in(folder, arm64.manifest.digest) == arm64.manifest.bytes);
  CHECK(blob_in(folder, test::digest_of(arm64.config)) == arm64.config);
  CHECK(blob_in(folder, test::digest_of(arm64.layer)) == arm64.layer);
  CHECK(blob_in(folder, amd64.manifest.digest).empty());
  const auto index = boost::json::parse(read(folder / "index.json"));
  REQUIRE(index.at("manifests").as_array().size() == 1);
  CHECK(index.at("manifests").at(0).at("digest").as_string() == index_of_two.digest.c_str());
  CHECK(contains(bench.printed(), "docker.io/library/app:1\tlinux/arm64\t"));
}

TEST_CASE("an export that is run again fetches only what is not there") {
  PullBench bench;
  publish_two(bench);
  const auto folder = (bench.home.path() / "out").string();
  CHECK(bench.run_here({"export", folder, "app:1", "--platform", "linux/arm64"}) == exits::ok);
  CHECK(bench.run_here({"export", folder, "app:1"}) == exits::ok);
  CHECK(bench.gateway.count("GET", test::blob_path(repository, test::digest_of(arm64.layer))) == 1);
  CHECK(blob_in(folder, test::digest_of(amd64.layer)) == amd64.layer);
}

TEST_CASE("an image that is not whole gets no name in the folder") {
  PullBench bench;
  publish_two(bench);
  bench.gateway.hold("docker.io/library/whole", amd64, "1");
  const auto broken = test::make_image("linux/amd64", "cannot be had");
  test::publish(bench.gateway, "docker.io/library/broken", broken.manifest, "1");
  const auto folder = bench.home.path() / "out";
  CHECK(bench.run_here({"export", folder.string(), "broken:1", "whole:1"}) == exits::failed);
  CHECK(contains(bench.complained(), "docker.io/library/broken:1"));
  const auto index = boost::json::parse(read(folder / "index.json"));
  REQUIRE(index.at("manifests").as_array().size() == 1);
  CHECK(index.at("manifests").at(0).at("digest").as_string() == amd64.manifest.digest.c_str());
}

TEST_CASE(
    "export to a .tar is one file with the same layout, and the last line says what was done") {
  PullBench bench;
  publish_two(bench);
  const auto tar = bench.home.path() / "out.tar";
  CHECK(bench.run_here({"export", tar.string(), "app:1"}) == exits::ok);
  CHECK(bench.complained().ends_with("archway export: 1 of 1 image is in " + tar.string() + ", " +
                                     human_size(amd64.config.size() + amd64.layer.size() +
                                                arm64.config.size() + arm64.layer.size()) +
                                     " were fetched\n"));
  CHECK_FALSE(fs::exists(tar.string() + ".unpacked"));
  const auto folder = bench.home.path() / "unpacked";
  fs::create_directory(folder);
  REQUIRE(unpack_tar(tar, folder));
  CHECK(blob_in(folder, test::digest_of(arm64.layer)) == arm64.layer);
  const auto index = boost::json::parse(read(folder / "index.json"));
  CHECK(index.at("manifests").at(0).at("digest").as_string() == index_of_two.digest.c_str());
}

TEST_CASE("an image that cannot be had leaves the .tar of before alone, and what arrived is used") {
  PullBench bench;
  publish_two(bench);
  const auto tar = bench.home.path() / "out.tar";
  std::ofstream(tar) << "last week's";
  CHECK(bench.run_here({"export", tar.string(), "app:1", "gone:1"}) == exits::failed);
  CHECK(read(tar) == "last week's");
  const auto said = bench.complained();
  CHECK(contains(said, "is not made"));
  CHECK(contains(said, "1 of 2 images are in " + tar.string() + ".unpacked"));
  CHECK(bench.run_here({"export", tar.string(), "app:1"}) == exits::ok);
  CHECK(bench.gateway.count("GET", test::blob_path(repository, test::digest_of(arm64.layer))) == 1);
  CHECK_FALSE(fs::exists(tar.string() + ".unpacked"));
}

TEST_CASE("export needs a folder, and an image") {
  PullBench bench;
  CHECK(bench.run_here({"export", (bench.home.path() / "out").string()}) == exits::usage);
  std::ofstream(bench.home.path() / "letter.txt") << "dear";
  CHECK(bench.run_here({"export", bench.home.path().string(), "app:1"}) == exits::failed);
  CHECK(contains(bench.complained(), "no OCI image layout"));
}

}  // namespace
}  // namespace archway::proxy
