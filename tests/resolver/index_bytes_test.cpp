#include "resolver/index_bytes.hpp"

#include "resolver/manifest.hpp"

#include <doctest/doctest.h>
#include <string>

using namespace archway::resolver;
using archway::Descriptor;
using archway::Digest;
using archway::Errc;
using archway::Platform;
namespace media_type = archway::media_type;

namespace {

std::string digest(char c) {
  return "sha256:" + std::string(64, c);
}

// Three entries, each written in its own way; nothing of it may change.
const std::string first =
    R"({"size" : 1, "digest":")" + digest('a') + "\",\r\n\t\"mediaType\":\"m\\/\\u00e4\"}";
const std::string second = R"({"annotations":{"manifests":"[{]}\"","x":"\\"},"mediaType":"m",)"
                           R"("later":{"manifests":[{"a":[]},{}],"n":-1.50e+1,"t":true,"z":null},)"
                           R"("size":2,"digest":")" +
                           digest('b') + R"(","platform":{"os":"linux","architecture":"arm64"}})";
const std::string third = R"({"digest":")" + digest('c') + R"(","size":3,"urls":[ "https://x" ] })";

const std::string whole = "  {\n \"annotations\" : {\"manifests\":\"[]\"},\n \"manifests\" :\t[ " +
                          first + " ,\n" + second + "," + third +
                          "\n ],\"schemaVersion\": 2 , \"subject\":{\"digest\":\"" + digest('d') +
                          "\",\"size\":1},\"x\":[1, {\"y\":\"\xc3\xa4\"} ] }\n";

Manifest read(const std::string& bytes) {
  return parse_manifest(bytes, media_type::oci_index);
}

}  // namespace

TEST_CASE("entries are found as they are written") {
  REQUIRE(read(whole).interpretable);
  const auto entries = raw_entries(whole);
  REQUIRE(entries);
  REQUIRE(entries->size() == 3);
  CHECK((*entries)[0] == first);
  CHECK((*entries)[1] == second);
  CHECK((*entries)[2] == third);
  CHECK((*entries)[0].data() == whole.data() + whole.find(first));
}

TEST_CASE("a filtered index keeps everything byte for byte but what was taken out") {
  const auto text = [](const std::string& entries) {
    return "{\"annotations\" : {\"manifests\":\"[]\"},\"manifests\" :\t[" + entries +
           "],\"schemaVersion\": 2,\"x\":[1, {\"y\":\"\xc3\xa4\"} ]}";
  };
  struct Row {
    std::string why;
    std::vector<std::size_t> kept;
    std::string want;
  };
  const Row rows[] = {
      {"all", {0, 1, 2}, text(first + "," + second + "," + third)},
      {"none", {}, text("")},
      {"the first", {0}, text(first)},
      {"the last", {2}, text(third)},
      {"two", {0, 2}, text(first + "," + third)},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    const auto filtered = filtered_index(whole, row.kept);
    REQUIRE(filtered);
    CHECK(*filtered == row.want);
    const auto again = read(*filtered);
    CHECK(again.interpretable);
    CHECK(!again.subject);
    REQUIRE(again.manifests.size() == row.kept.size());
    for (std::size_t i = 0; i < row.kept.size(); ++i) {
      CHECK(again.manifests[i].digest == read(whole).manifests[row.kept[i]].digest);
    }
    CHECK(*filtered_index(whole, row.kept) == *filtered);
  }
}

TEST_CASE("members may stand in any order and their keys may be escaped") {
  const auto entry = R"({"digest":")" + digest('a') + R"(","size":1})";
  struct Row {
    std::string why;
    std::string bytes;
    std::string want;
  };
  const Row rows[] = {
      {"the list alone", R"({"manifests":[)" + entry + "]}", R"({"manifests":[]})"},
      {"the list last", R"({"a":"]","manifests":[)" + entry + "]}", R"({"a":"]","manifests":[]})"},
      {"an escaped key", R"({"manifest\u0073":[)" + entry + "]}", R"({"manifest\u0073":[]})"},
      {"an escaped subject", R"({"\u0073ubject":)" + entry + R"(,"manifests":[]})",
       R"({"manifests":[]})"},
      {"a subject first", R"({"subject":)" + entry + R"(,"manifests":[]})", R"({"manifests":[]})"},
      {"a key with a quote", R"({"a\"b" : 1,"manifests":[]})", R"({"a\"b" : 1,"manifests":[]})"},
      {"an empty key", R"({"":"","manifests":[]})", R"({"":"","manifests":[]})"},
      {"no list but null", R"({"manifests" : null , "x":1})", R"({"manifests" : [],"x":1})"},
      {"scalars of every kind",
       R"({"manifests":[],"a":1 ,"b":-0.5e1 ,"c":true ,"d":null ,"e":"" })",
       R"({"manifests":[],"a":1,"b":-0.5e1,"c":true,"d":null,"e":""})"},
      {"empty values", R"({"manifests":[ ],"a":{ },"b":[ ]})",
       R"({"manifests":[],"a":{ },"b":[ ]})"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    REQUIRE(read(row.bytes).interpretable);
    const auto filtered = filtered_index(row.bytes, {});
    REQUIRE(filtered);
    CHECK(*filtered == row.want);
  }
}

TEST_CASE("both families of indexes are read, and large ones") {
  const auto list = R"({"mediaType":")" + std::string(media_type::docker_list) +
                    R"(","manifests":[)" + first + "]}";
  CHECK(raw_entries(list)->size() == 1);
  std::string many = R"({"manifests":[)" + first;
  for (std::size_t i = 1; i < manifest_entries_max; ++i) many += "," + third;
  many += "]}";
  REQUIRE(raw_entries(many));
  CHECK(raw_entries(many)->size() == manifest_entries_max);
  CHECK(*filtered_index(many, {0}) == R"({"manifests":[)" + first + "]}");
}

TEST_CASE("what is no interpretable index is refused, and positions that are not there") {
  struct Row {
    std::string why;
    std::string bytes;
    std::string says;
  };
  const Row rows[] = {
      {"nothing", "", "it is not JSON"},
      {"cut off", whole.substr(0, whole.size() / 2), "it is not JSON"},
      {"a key twice", R"({"manifests":[],"manifests":[]})", "the same key twice"},
      {"a manifest", R"({"config":{"digest":")" + digest('a') + R"(","size":1}})",
       "what makes its type is missing"},
      {"an entry that is none", R"({"manifests":[1]})", "a descriptor is no object"},
      {"a byte order mark", "\xef\xbb\xbf" + whole, "byte order mark"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    const auto entries = raw_entries(row.bytes);
    REQUIRE(!entries);
    CHECK(entries.error().code == Errc::manifest_invalid);
    CHECK(entries.error().message.find(row.says) != std::string::npos);
    CHECK(filtered_index(row.bytes, {}).error().message == entries.error().message);
  }
  for (const auto& kept : {std::vector<std::size_t>{3}, {1, 0}, {1, 1}, {0, 1, 2, 3}}) {
    const auto filtered = filtered_index(whole, kept);
    REQUIRE(!filtered);
    CHECK(filtered.error().code == Errc::manifest_invalid);
    CHECK(filtered.error().message.ends_with("it has no entries at these positions"));
  }
}

TEST_CASE("a descriptor is written with what it has, escaped") {
  const auto named = *Digest::parse(digest('a'));
  const std::string name = R"("digest":")" + digest('a') + "\"";
  const auto on = [&](Platform platform) {
    return Descriptor{
        .media_type = "m", .digest = named, .size = 7, .platform = std::move(platform)};
  };
  struct Row {
    std::string why;
    Descriptor descriptor;
    std::string want;
  };
  const std::string front = R"({"mediaType":"m",)" + name + R"(,"size":7,"platform":)";
  const Row rows[] = {
      {"no platform",
       {.media_type = "m", .digest = named, .size = 18446744073709551615u, .platform = {}},
       R"({"mediaType":"m",)" + name + R"(,"size":18446744073709551615})"},
      {"a machine", on(*Platform::parse("linux/arm64")),
       front + R"({"architecture":"arm64","os":"linux"}})"},
      {"a variant", on(*Platform::parse("linux/arm/v7")),
       front + R"({"architecture":"arm","os":"linux","variant":"v7"}})"},
      {"a build and features", on(*Platform::parse("windows(10.0.20348.1+a+b)/amd64")),
       front + R"({"architecture":"amd64","os":"windows","os.version":"10.0.20348.1",)"
               R"("os.features":["a","b"]}})"},
      {"what must be escaped", on({.os = "a\"b\\c\n\x01", .architecture = "\xc3\xa4"}),
       front + "{\"architecture\":\"\xc3\xa4\",\"os\":\"a\\\"b\\\\c\\u000a\\u0001\"}}"},
      {"what is not UTF-8", on({.os = "a\xff", .architecture = "b"}),
       front + R"({"architecture":"b","os":"a\ufffd"}})"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    CHECK(descriptor_json(row.descriptor) == row.want);
  }
}

TEST_CASE("an index that is made reads back to what it was made of") {
  const Descriptor arm64{.media_type = std::string(media_type::oci_manifest),
                         .digest = *Digest::parse(digest('a')),
                         .size = 7,
                         .platform = *Platform::parse("linux/arm64")};
  const auto bytes = make_index(media_type::oci_index, {descriptor_json(arm64), third});
  CHECK(bytes == R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json",)"
                 R"("manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json",)"
                 R"("digest":")" +
                     digest('a') +
                     R"(","size":7,"platform":{"architecture":"arm64","os":"linux"}},)" + third +
                     "]}");
  const auto made = read(bytes);
  REQUIRE(made.interpretable);
  REQUIRE(made.manifests.size() == 2);
  CHECK(made.manifests[0].digest == arm64.digest);
  CHECK(made.manifests[0].platform == arm64.platform);
  CHECK(raw_entries(bytes)->at(1) == third);
  CHECK(make_index("m", {}) == R"({"schemaVersion":2,"mediaType":"m","manifests":[]})");
}
