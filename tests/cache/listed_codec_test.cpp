#include "cache/listed_codec.hpp"

#include "cache/record_codec.hpp"
#include "tests/cache/support.hpp"

#include <doctest/doctest.h>
#include <string>
#include <vector>

namespace archway::cache {
namespace {

using testing::image;
using testing::tag;

const Platform arm{.os = "linux", .architecture = "arm", .variant = "v7"};
const Platform windows{.os = "windows",
                       .architecture = "amd64",
                       .os_version = "10.0.20348.2340",
                       .os_features = {"win32k"}};

SeenRecord seen_record() {
  return {.image = image("library/golang"),
          .tag = tag("1.22"),
          .pullers = {{.platform = arm, .last_pull = 1'800'000'000},
                      {.platform = windows, .last_pull = -1}}};
}

VirtualImage virtual_image() {
  VirtualImage made{.name = image("username/test"), .tag = tag("1"), .members = {}};
  made.members.push_back({.platform = arm, .image = image("username/arm-test", "ghcr.io")});
  made.members.push_back(
      {.platform = windows, .image = image("username/test"), .reference = tag("win")});
  made.members.push_back({.platform = {.os = "linux", .architecture = "s390x"},
                          .image = image("username/test"),
                          .reference = *Digest::parse("sha256:" + std::string(64, 'a'))});
  return made;
}

TEST_CASE("what is seen of a tag reads back as it was written") {
  for (const auto& record :
       {seen_record(), SeenRecord{.image = image("a", "localhost:5000"), .tag = tag("_")}}) {
    const auto key = codec::tag_key(record.image, record.tag);
    CHECK(codec::read_seen(key, codec::write_seen(key, record)) == record);
  }
}

TEST_CASE("of too many pullers the latest are written") {
  auto record = seen_record();
  record.pullers.clear();
  for (std::size_t i = 0; i <= seen_platforms_max; ++i) {
    const auto variant = "v" + std::to_string(i);
    record.pullers.push_back(
        {.platform = {.os = "linux", .architecture = "arm", .variant = variant}, .last_pull = 1});
  }
  const auto key = codec::tag_key(record.image, record.tag);
  const auto read = codec::read_seen(key, codec::write_seen(key, record));
  record.pullers.pop_back();
  CHECK(read == record);
}

TEST_CASE("a virtual image reads back as it was written") {
  auto without_tag = virtual_image();
  without_tag.tag.reset();
  const VirtualImage empty{.name = image("a"), .tag = {}, .members = {}};
  for (const auto& record : {virtual_image(), without_tag, empty}) {
    const auto key = codec::image_key(record.name, record.tag);
    CHECK(codec::read_image(key, codec::write_image(key, record)) == record);
  }
  CHECK(codec::image_key(image("a"), {}) != codec::image_key(image("a"), tag("a")));
}

TEST_CASE("a pin reads back as it was written, by tag and by digest") {
  const auto digest = *Digest::parse("sha256:" + std::string(64, 'a'));
  for (const Reference& what : {Reference(tag("3")), Reference(digest)}) {
    const PinRecord pin{.image = image("a"), .what = what, .since = 1'800'000'000};
    const auto key = codec::pin_key(pin.image, pin.what);
    const auto value = codec::write_pin(key, pin);
    CHECK(codec::read_pin(key, value) == pin);
    testing::check_no_damage_is_read(
        value, [&](auto& bytes) { return codec::read_pin(key, bytes).has_value(); });
    const auto other = codec::pin_key(image("b"), what);
    CHECK_FALSE(codec::read_pin(other, codec::write_pin(other, pin)));
  }
}

TEST_CASE("a listed value with a flipped bit, a piece missing or a piece too much is no record") {
  const auto seen_key = codec::tag_key(seen_record().image, seen_record().tag);
  testing::check_no_damage_is_read(codec::write_seen(seen_key, seen_record()), [&](auto& bytes) {
    return codec::read_seen(seen_key, bytes).has_value();
  });
  const auto key = codec::image_key(virtual_image().name, virtual_image().tag);
  testing::check_no_damage_is_read(codec::write_image(key, virtual_image()), [&](auto& bytes) {
    return codec::read_image(key, bytes).has_value();
  });
}

TEST_CASE("a listed value under a key that is not of its names is no record") {
  const auto wrong_tag = codec::tag_key(image("library/golang"), tag("1.23"));
  CHECK_FALSE(codec::read_seen(wrong_tag, codec::write_seen(wrong_tag, seen_record())));
  const auto wrong_name = codec::image_key(image("username/other"), tag("1"));
  CHECK_FALSE(codec::read_image(wrong_name, codec::write_image(wrong_name, virtual_image())));
}

TEST_CASE("a listed value that makes no sense inside is no record, whatever its checksum says") {
  const auto golang = image("library/golang");
  const auto key = codec::tag_key(golang, tag("1.22"));
  const auto seen_with = [&](const std::string& tag_text, std::uint32_t count) {
    const auto value = codec::ValueWriter().image(golang).text(tag_text).u32(count).seal(key);
    return codec::read_seen(key, value).has_value();
  };
  CHECK(seen_with("1.22", 0));
  CHECK_FALSE(seen_with("1.22", 4'000'000'000));
  CHECK_FALSE(seen_with("no tag", 0));
  const auto image_key = codec::image_key(golang, {});
  const auto image_with = [&](const std::string& tag_text, std::uint32_t count,
                              const std::string& reference) {
    codec::ValueWriter writer;
    writer.image(golang).text(tag_text).u32(count);
    writer.platform(arm).image(golang).text(reference);
    return codec::read_image(image_key, writer.seal(image_key)).has_value();
  };
  CHECK(image_with("", 1, ""));
  CHECK(image_with("", 1, "1.22"));
  CHECK_FALSE(image_with("", 2, ""));
  CHECK_FALSE(image_with("", 1, "no tag"));
  CHECK_FALSE(image_with("", 1, "sha256:short"));
  CHECK_FALSE(image_with("no tag", 1, ""));
}

}  // namespace
}  // namespace archway::cache
