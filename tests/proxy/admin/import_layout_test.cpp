#include "proxy/admin/import_layout.hpp"

#include "tests/proxy/admin/held_bench.hpp"

#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace archway::proxy {
namespace {

using test::HeldBench;
namespace fs = std::filesystem;

const auto amd64 = test::make_image("linux/amd64", "for amd64");
const auto arm64 = test::make_image("linux/arm64", "for arm64");
const auto index_of_two = test::make_index({amd64, arm64});

/// A folder with images.
struct Layout {
  test::TempDir dir;
  std::string entries;

  Layout() {
    fs::create_directories(dir.path() / "blobs" / "sha256");
    write("oci-layout", R"({"imageLayoutVersion":"1.0.0"})");
  }
  void write(const fs::path& name, const std::string& text) const {
    std::ofstream(dir.path() / name, std::ios::binary) << text;
  }
  fs::path place(const std::string& digest) const {
    return fs::path("blobs") / "sha256" / digest.substr(7);
  }
  void put(const std::string& bytes) const { write(place(test::digest_of(bytes)), bytes); }
  void put(const test::Image& image) const {
    for (const auto& bytes : {image.config, image.layer, image.manifest.bytes}) put(bytes);
  }
  void name(const std::string& name, const test::Document& document) {
    if (!entries.empty()) entries += ",";
    entries += R"({"mediaType":")" + document.media_type + R"(","digest":")" + document.digest +
               R"(","size":)" + std::to_string(document.bytes.size()) +
               R"(,"annotations":{"io.containerd.image.name":")" + name + "\"}}";
    write("index.json", R"({"schemaVersion":2,"manifests":[)" + entries + "]}");
  }
};

Result<boost::json::object> import(HeldBench& bench, const Layout& layout,
                                   const std::string& as = "") {
  return import_layout(
      {.cache = bench.cache.get(), .names = &bench.names, .directory = layout.dir.path(), .as = as},
      {});
}

TEST_CASE("an imported image is there as if it had been pulled") {
  Layout layout;
  layout.put(index_of_two.bytes);
  layout.put(arm64);
  layout.name("docker.io/library/app:1", index_of_two);
  HeldBench bench;
  const auto imported = import(bench, layout);
  REQUIRE_MESSAGE(imported, imported.error().message);
  const auto& image = imported->at("images").at(0);
  CHECK(image.at("name") == "docker.io/library/app:1");
  CHECK(image.at("manifests") == 2);
  CHECK(image.at("blobs") == 2);
  CHECK(image.at("absent") == boost::json::array{"linux/amd64"});
  CHECK(imported->at("bytes") == arm64.config.size() + arm64.layer.size());
  const auto name = HeldBench::image("library/app");
  const auto& index = bench.cache->index();
  const auto tag = index.find_tag(name, *Tag::parse("1"));
  REQUIRE(tag);
  CHECK(tag->digest.str() == index_of_two.digest);
  CHECK(bench.has_manifest(index_of_two));
  for (const auto& digest : {index_of_two.digest, arm64.manifest.digest,
                             test::digest_of(arm64.config), test::digest_of(arm64.layer)}) {
    CHECK(index.granted(name, HeldBench::digest(digest)));
  }
  CHECK(bench.has(arm64.layer));
  const auto again = import(bench, layout);
  REQUIRE(again);
  CHECK(again->at("bytes") == 0);
}

TEST_CASE("--as gives the one image of a folder its name") {
  Layout layout;
  layout.put(amd64);
  layout.name("1", amd64.manifest);
  HeldBench bench;
  const auto unnamed = import(bench, layout);
  REQUIRE_FALSE(unnamed);
  CHECK(unnamed.error().message.find("--as") != std::string::npos);
  REQUIRE(import(bench, layout, "me/app:2"));
  CHECK(bench.cache->index().find_tag(HeldBench::image("me/app"), *Tag::parse("2")));
  layout.name("docker.io/library/other:1", amd64.manifest);
  CHECK_FALSE(import(bench, layout, "me/app:2"));
}

TEST_CASE("nothing that is damaged or incomplete gets a name") {
  struct Row {
    const char* why;
    void (*spoil)(Layout&);
    const char* want;
  };
  const std::vector<Row> rows{
      {"a layer of other bytes",
       [](Layout& l) { l.write(l.place(test::digest_of(amd64.layer)), "FOR amd64"); }, "damaged"},
      {"a layer that is short",
       [](Layout& l) { l.write(l.place(test::digest_of(amd64.layer)), "for"); }, "has 3 bytes"},
      {"a layer that is not there",
       [](Layout& l) { fs::remove(l.dir.path() / l.place(test::digest_of(amd64.layer))); },
       "a manifest names it"},
      {"a manifest of other bytes",
       [](Layout& l) { l.write(l.place(amd64.manifest.digest), "{}"); }, "damaged"},
      {"an index that is none", [](Layout& l) { l.write("index.json", "[]"); }, "no image index"},
      {"no layout at all", [](Layout& l) { fs::remove(l.dir.path() / "oci-layout"); },
       "no OCI image layout"},
      {"an upstream that is not configured",
       [](Layout& l) { l.name("quay.io/a/b:1", amd64.manifest); }, "quay.io"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    Layout layout;
    layout.put(amd64);
    layout.name("docker.io/library/app:1", amd64.manifest);
    row.spoil(layout);
    HeldBench bench;
    const auto imported = import(bench, layout);
    REQUIRE_FALSE(imported);
    CHECK(imported.error().code != Errc::storage_failed);
    CAPTURE(imported.error().message);
    CHECK(imported.error().message.find(row.want) != std::string::npos);
    CHECK(bench.holdings.list("", false).empty());
    CHECK_FALSE(bench.has_manifest(amd64.manifest));
  }
}

}  // namespace
}  // namespace archway::proxy
