#include "proxy/command/oci_layout.hpp"

#include "tests/proxy/command/manifest_bench.hpp"

#include <boost/json/parse.hpp>
#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace archway::proxy {
namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

Digest digest_of(const std::string& bytes) {
  return *Digest::parse(test::digest_of(bytes));
}

Descriptor described(const std::string& bytes) {
  return {.media_type = "", .digest = digest_of(bytes), .size = bytes.size(), .platform = {}};
}

fs::path blob_in(const fs::path& folder, const std::string& bytes) {
  return folder / "blobs" / "sha256" / digest_of(bytes).hex();
}

OciLayout open(const fs::path& folder) {
  auto layout = OciLayout::open(folder);
  REQUIRE_MESSAGE(layout, layout.error().message);
  return *std::move(layout);
}

TEST_CASE("a layout holds what was put into it, under the names it was given") {
  const test::TempDir dir;
  const auto folder = dir.path() / "made" / "here";
  auto layout = open(folder);
  REQUIRE(layout.put(digest_of("one"), "one"));
  layout.name(image_of("alpine:3"), "application/x", digest_of("one"), 3);
  layout.name(image_of("ghcr.io/a/b@" + test::digest_of("two")), "application/y", digest_of("two"),
              3);
  REQUIRE(layout.save());
  CHECK(read(folder / "oci-layout") == R"({"imageLayoutVersion":"1.0.0"})");
  CHECK(read(blob_in(folder, "one")) == "one");
  const auto index = boost::json::parse(read(folder / "index.json"));
  CHECK(index.at("schemaVersion") == 2);
  const auto& entries = index.at("manifests").as_array();
  REQUIRE(entries.size() == 2);
  CHECK(entries[0].at("digest").as_string() == test::digest_of("one").c_str());
  CHECK(entries[0].at("size") == 3);
  const auto& names = entries[0].at("annotations").as_object();
  CHECK(names.at("org.opencontainers.image.ref.name").as_string() == "3");
  CHECK(names.at("io.containerd.image.name").as_string() == "docker.io/library/alpine:3");
  CHECK(entries[1].at("annotations").as_object().count("org.opencontainers.image.ref.name") == 0);
}

TEST_CASE("a layout is added to: a name stands for the last that it was given to") {
  const test::TempDir dir;
  for (const std::string bytes : {"old", "new"}) {
    auto layout = open(dir.path() / "l");
    REQUIRE(layout.put(digest_of(bytes), bytes));
    layout.name(image_of("alpine:3"), "application/x", digest_of(bytes), 3);
    layout.name(image_of("app:" + bytes), "application/x", digest_of(bytes), 3);
    REQUIRE(layout.save());
  }
  const auto index = boost::json::parse(read(dir.path() / "l" / "index.json"));
  std::string all;
  for (const auto& entry : index.at("manifests").as_array()) {
    all += entry.at("annotations").at("io.containerd.image.name").as_string().c_str();
    all += entry.at("digest").as_string() == test::digest_of("new").c_str() ? "=new " : "=old ";
  }
  CHECK(all ==
        "docker.io/library/app:old=old docker.io/library/alpine:3=new "
        "docker.io/library/app:new=new ");
}

TEST_CASE("only what is whole and right is there") {
  const test::TempDir dir;
  const auto folder = dir.path() / "l";
  const auto layout = open(folder);
  CHECK_FALSE(layout.has(described("one")));
  REQUIRE(layout.put(digest_of("one"), "one"));
  CHECK(layout.has(described("one")));
  std::ofstream(blob_in(folder, "one")) << "eno";
  CHECK_FALSE(layout.has(described("one")));
  {
    const auto taker = layout.taker(digest_of("two"));
    REQUIRE(taker);
    const std::uint8_t byte = 't';
    REQUIRE((*taker)->take({&byte, 1}));
  }
  CHECK_FALSE(fs::exists(blob_in(folder, "two")));
  CHECK(std::distance(fs::directory_iterator(folder / "blobs" / "sha256"), {}) == 1);
}

TEST_CASE("a folder that holds something else is left alone") {
  const test::TempDir dir;
  std::ofstream(dir.path() / "letter.txt") << "dear";
  const auto layout = OciLayout::open(dir.path());
  REQUIRE_FALSE(layout);
  CHECK(layout.error().code == Errc::request_invalid);
  CHECK_FALSE(fs::exists(dir.path() / "oci-layout"));
  const auto below_file = OciLayout::open(dir.path() / "letter.txt" / "l");
  REQUIRE_FALSE(below_file);
  CHECK(below_file.error().code == Errc::storage_failed);
}

}  // namespace
}  // namespace archway::proxy
