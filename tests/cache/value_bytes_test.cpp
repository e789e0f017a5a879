#include "cache/value_bytes.hpp"

#include "tests/cache/support.hpp"

#include <algorithm>
#include <doctest/doctest.h>
#include <iterator>
#include <limits>
#include <string>

namespace archway::cache::codec {
namespace {

using testing::image;

const Digest digest = *Digest::parse("sha512:" + std::string(128, 'b'));
const Platform windows{.os = "windows",
                       .architecture = "amd64",
                       .os_version = "10.0.20348.2340",
                       .os_features = {"win32k", "x"}};

TEST_CASE("fields read back in the order they were written in") {
  const auto value = ValueWriter()
                         .u8(200)
                         .u32(4'000'000'000)
                         .u64(std::numeric_limits<std::uint64_t>::max())
                         .i64(-7)
                         .text(std::string("a\0b", 3))
                         .digest(digest)
                         .image(image("library/golang"))
                         .text("1.22")
                         .platform(windows)
                         .platform(Platform{.os = "linux", .architecture = "arm", .variant = "v7"})
                         .seal("key");
  ValueReader reader("key", value);
  CHECK(reader.u8() == 200);
  CHECK(reader.u32() == 4'000'000'000);
  CHECK(reader.u64() == std::numeric_limits<std::uint64_t>::max());
  CHECK(reader.i64() == -7);
  CHECK(reader.text() == std::string_view("a\0b", 3));
  CHECK(reader.digest() == digest);
  CHECK(reader.image() == image("library/golang"));
  CHECK(reader.tag() == *Tag::parse("1.22"));
  CHECK(reader.platform() == windows);
  CHECK(reader.more());
  CHECK_FALSE(reader.whole());
  CHECK(reader.platform().str() == "linux/arm/v7");
  CHECK_FALSE(reader.more());
  CHECK(reader.whole());
  CHECK(reader.u64() == 0);
  CHECK_FALSE(reader.whole());  // More was read than there is.
}

TEST_CASE("a writer that was sealed begins anew") {
  ValueWriter writer;
  const auto first = writer.u8(1).seal("key");
  CHECK(writer.u8(1).seal("key") == first);
}

TEST_CASE("what is no digest, name, tag or platform is not taken for one") {
  struct Row {
    const char* why;
    ValueWriter value;
    void (*read)(ValueReader&);
  };
  const auto as_digest = [](ValueReader& reader) { CHECK_FALSE(reader.digest()); };
  const auto as_image = [](ValueReader& reader) { CHECK_FALSE(reader.image()); };
  const auto as_tag = [](ValueReader& reader) { CHECK_FALSE(reader.tag()); };
  const auto as_platform = [](ValueReader& reader) { reader.platform(); };
  Row rows[] = {
      {"an empty digest", ValueWriter().text(""), as_digest},
      {"an unknown algorithm", ValueWriter().text(std::string(33, '\2')), as_digest},
      {"a hash that is too short", ValueWriter().text(std::string(32, '\0')), as_digest},
      {"no repository's name", ValueWriter().text("docker.io").text("Upper/Case"), as_image},
      {"no tag", ValueWriter().text("-"), as_tag},
      {"fewer features than it says",
       ValueWriter().text("linux").text("arm").text("").text("").u32(1'000'000'000), as_platform},
  };
  for (auto& row : rows) {
    CAPTURE(row.why);
    const auto value = row.value.seal("key");
    ValueReader reader("key", value);
    row.read(reader);
    CHECK_FALSE(reader.whole());
  }
}

TEST_CASE("a key of names differs wherever the names do") {
  const std::string keys[] = {name_key(image("a/b"), "c"), name_key(image("a"), "c"),
                              name_key(image("a", "docker.ioa"), "c"), name_key(image("a"), ""),
                              name_key(image("a/b", "ghcr.io"), "c")};
  for (const auto& key : keys) {
    CHECK(key.size() == 32);
    CHECK(std::count(std::begin(keys), std::end(keys), key) == 1);
  }
}

}  // namespace
}  // namespace archway::cache::codec
