#include "cache/value_bytes.hpp"

#include "cache/crc32c.hpp"
#include "cache/hasher.hpp"

#include <span>
#include <utility>

namespace archway::cache::codec {
namespace {

constexpr std::size_t crc_bytes = sizeof(std::uint32_t);

template <class Number>
void append(std::string& out, Number value) {
  for (std::size_t i = 0; i < sizeof value; ++i) out += static_cast<char>(value >> (8 * i) & 0xff);
}

}  // namespace

std::string digest_key(const Digest& digest) {
  const auto hash = digest.bytes();
  std::string key(1, static_cast<char>(digest.algorithm()));
  key.append(hash.begin(), hash.end());
  return key;
}

// Two names in a row could be cut at another place; a zero byte occurs in neither.
std::string name_key(const ImageName& image, std::string_view third) {
  std::string text = image.upstream;
  text += '\0';
  text += image.repository.str();
  text += '\0';
  text += third;
  return sha256(text);
}

template <class Number>
ValueWriter& ValueWriter::number(Number value) {
  append(bytes_, value);
  return *this;
}

bool is_sealed(std::string_view key, std::string_view value) {
  return ValueReader(key, value).more();  // No value is empty.
}

ValueWriter& ValueWriter::u8(std::uint8_t value) {
  return number(value);
}

ValueWriter& ValueWriter::u32(std::uint32_t value) {
  return number(value);
}

ValueWriter& ValueWriter::u64(std::uint64_t value) {
  return number(value);
}

ValueWriter& ValueWriter::text(std::string_view value) {
  u32(static_cast<std::uint32_t>(value.size()));
  bytes_ += value;
  return *this;
}

ValueWriter& ValueWriter::image(const ImageName& value) {
  return text(value.upstream).text(value.repository.str());
}

ValueWriter& ValueWriter::platform(const Platform& value) {
  text(value.os).text(value.architecture).text(value.variant).text(value.os_version);
  u32(static_cast<std::uint32_t>(value.os_features.size()));
  for (const auto& feature : value.os_features) text(feature);
  return *this;
}

std::string ValueWriter::seal(std::string_view key) {
  std::string crc;
  append(crc, crc32c(std::string_view(bytes_).substr(crc_bytes), crc32c(key)));
  bytes_.replace(0, crc_bytes, crc);
  return std::exchange(bytes_, std::string(crc_bytes, '\0'));
}

ValueReader::ValueReader(std::string_view key, std::string_view value) : rest_(value) {
  const auto crc = u32();
  fits_ = fits_ && crc == crc32c(rest_, crc32c(key));
}

template <class Number>
Number ValueReader::number() {
  Number value = 0;
  const auto bytes = take(sizeof value);
  for (std::size_t i = bytes.size(); i > 0; --i) {
    value =
        static_cast<Number>(std::uint64_t{value} << 8 | static_cast<std::uint8_t>(bytes[i - 1]));
  }
  return value;
}

std::string_view ValueReader::take(std::size_t count) {
  fits_ = fits_ && count <= rest_.size();
  if (!fits_) return {};
  const auto taken = rest_.substr(0, count);
  rest_.remove_prefix(count);
  return taken;
}

std::uint8_t ValueReader::u8() {
  return number<std::uint8_t>();
}

std::uint32_t ValueReader::u32() {
  return number<std::uint32_t>();
}

std::uint64_t ValueReader::u64() {
  return number<std::uint64_t>();
}

std::optional<Digest> ValueReader::digest() {
  const auto bytes = text();
  if (bytes.empty() || bytes[0] < 0 || bytes[0] > 1) {
    fits_ = false;
    return std::nullopt;
  }
  const auto* const hash = reinterpret_cast<const std::uint8_t*>(bytes.data()) + 1;
  const auto value =
      Digest::of(static_cast<Digest::Algorithm>(bytes[0]), std::span(hash, bytes.size() - 1));
  fits_ = fits_ && value;
  if (!value) return std::nullopt;
  return *value;
}

std::optional<ImageName> ValueReader::image() {
  const auto upstream = text();
  auto repository = Repository::parse(text());
  fits_ = fits_ && repository;
  if (!repository) return std::nullopt;
  return ImageName{.upstream = std::string(upstream), .repository = *std::move(repository)};
}

std::optional<Tag> ValueReader::tag() {
  auto value = Tag::parse(text());
  fits_ = fits_ && value;
  if (!value) return std::nullopt;
  return *std::move(value);
}

Platform ValueReader::platform() {
  Platform value;
  value.os = text();
  value.architecture = text();
  value.variant = text();
  value.os_version = text();
  const auto features = u32();
  for (std::uint32_t i = 0; i < features && more(); ++i) value.os_features.emplace_back(text());
  fits_ = fits_ && value.os_features.size() == features;
  return value;
}

bool ValueReader::is(const ImageName& image) {
  const auto upstream = text();
  const auto repository = text();
  return upstream == image.upstream && repository == image.repository.str();
}

}  // namespace archway::cache::codec
