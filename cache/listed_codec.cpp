#include "cache/listed_codec.hpp"

#include "cache/record_codec.hpp"

#include <algorithm>
#include <utility>

namespace archway::cache::codec {
namespace {

/// A text that may be absent; no name, tag or digest is empty.
std::string text_of(const std::optional<Reference>& reference) {
  return reference ? str(*reference) : std::string();
}

std::optional<VirtualImage::Member> read_member(ValueReader& reader) {
  auto platform = reader.platform();
  auto image = reader.image();
  const auto text = reader.text();
  if (!image) return std::nullopt;
  VirtualImage::Member member{.platform = std::move(platform), .image = *std::move(image)};
  if (text.empty()) return member;
  auto reference = parse_reference(text);
  if (!reference) return std::nullopt;
  member.reference = *std::move(reference);
  return member;
}

}  // namespace

std::string write_seen(std::string_view key, const SeenRecord& record) {
  const auto count = std::min(record.pullers.size(), seen_platforms_max);
  ValueWriter writer;
  writer.image(record.image).text(record.tag.str()).u32(static_cast<std::uint32_t>(count));
  for (std::size_t i = 0; i < count; ++i) {
    writer.platform(record.pullers[i].platform).i64(record.pullers[i].last_pull);
  }
  return writer.seal(key);
}

std::optional<SeenRecord> read_seen(std::string_view key, std::string_view value) {
  ValueReader reader(key, value);
  auto image = reader.image();
  auto tag = reader.tag();
  if (!image || !tag) return std::nullopt;
  SeenRecord record{.image = *std::move(image), .tag = *std::move(tag)};
  const auto count = reader.u32();
  while (record.pullers.size() < count && reader.more()) {
    auto platform = reader.platform();
    const auto last_pull = reader.i64();
    record.pullers.push_back({.platform = std::move(platform), .last_pull = last_pull});
  }
  const bool right = record.pullers.size() == count && key == tag_key(record.image, record.tag);
  if (!right || !reader.whole()) return std::nullopt;
  return record;
}

std::string image_key(const ImageName& name, const std::optional<Tag>& tag) {
  return name_key(name, tag ? std::string_view(tag->str()) : std::string_view());
}

std::string write_image(std::string_view key, const VirtualImage& image) {
  ValueWriter writer;
  writer.image(image.name).text(image.tag ? image.tag->str() : std::string());
  writer.u32(static_cast<std::uint32_t>(image.members.size()));
  for (const auto& member : image.members) {
    writer.platform(member.platform).image(member.image).text(text_of(member.reference));
  }
  return writer.seal(key);
}

std::optional<VirtualImage> read_image(std::string_view key, std::string_view value) {
  ValueReader reader(key, value);
  auto name = reader.image();
  if (!name) return std::nullopt;
  VirtualImage image{.name = *std::move(name), .members = {}};
  if (const auto text = reader.text(); !text.empty()) {
    auto tag = Tag::parse(text);
    if (!tag) return std::nullopt;
    image.tag = *std::move(tag);
  }
  const auto count = reader.u32();
  while (image.members.size() < count && reader.more()) {
    auto member = read_member(reader);
    if (!member) return std::nullopt;
    image.members.push_back(*std::move(member));
  }
  const bool right = image.members.size() == count && key == image_key(image.name, image.tag);
  if (!right || !reader.whole()) return std::nullopt;
  return image;
}

std::string pin_key(const ImageName& image, const Reference& what) {
  return name_key(image, str(what));  // No tag reads like a digest.
}

std::string write_pin(std::string_view key, const PinRecord& pin) {
  return ValueWriter().image(pin.image).text(str(pin.what)).i64(pin.since).seal(key);
}

std::optional<PinRecord> read_pin(std::string_view key, std::string_view value) {
  ValueReader reader(key, value);
  auto image = reader.image();
  auto what = parse_reference(reader.text());
  const auto since = reader.i64();
  if (!image || !what || !reader.whole() || key != pin_key(*image, *what)) return std::nullopt;
  return PinRecord{.image = *std::move(image), .what = *std::move(what), .since = since};
}

}  // namespace archway::cache::codec
