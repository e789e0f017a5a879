#include "cache/record_codec.hpp"

#include <bit>
#include <span>
#include <utility>

namespace archway::cache::codec {
namespace {

constexpr std::string_view magic = "archway index";
constexpr std::uint8_t byte_order = std::endian::native == std::endian::little ? 1 : 2;

}  // namespace

std::string header_key() {
  return "header";
}

std::string write(std::string_view key, const Header& header) {
  return ValueWriter()
      .text(magic)
      .u32(index_format)
      .u8(sizeof(void*))
      .u8(byte_order)
      .u8(header.clean ? 1 : 0)
      .text(header.boot_id)
      .seal(key);
}

std::optional<Header> read_header(std::string_view key, std::string_view value) {
  ValueReader reader(key, value);
  const bool ours = reader.text() == magic && reader.u32() == index_format &&
                    reader.u8() == sizeof(void*) && reader.u8() == byte_order;
  if (!ours) return std::nullopt;
  Header header{.clean = reader.u8() == 1, .boot_id = std::string(reader.text())};
  if (!reader.whole()) return std::nullopt;
  return header;
}

std::optional<std::uint32_t> format_of(std::string_view key, std::string_view value) {
  if (!is_sealed(key, value)) return std::nullopt;
  ValueReader reader(key, value);
  if (reader.text() != magic) return std::nullopt;
  return reader.u32();
}

std::string blob_bytes_key() {
  return "blob bytes";
}

std::string last_check_key() {
  return "last check";
}

std::string suspect_before_key() {
  return "suspect before";
}

std::string write_number(std::string_view key, std::uint64_t number) {
  return ValueWriter().u64(number).seal(key);
}

std::optional<std::uint64_t> read_number(std::string_view key, std::string_view value) {
  ValueReader reader(key, value);
  const auto number = reader.u64();
  if (!reader.whole()) return std::nullopt;
  return number;
}

std::string write(std::string_view key, const ManifestRecord& manifest) {
  return ValueWriter().text(manifest.media_type).text(manifest.bytes).seal(key);
}

std::optional<ManifestRecord> read_manifest(std::string_view key, std::string_view value) {
  ValueReader reader(key, value);
  const auto media_type = reader.text();
  const auto bytes = reader.text();
  if (!reader.whole()) return std::nullopt;
  return ManifestRecord{.media_type = std::string(media_type), .bytes = std::string(bytes)};
}

std::optional<std::uint64_t> read_manifest_size(std::string_view key, std::string_view value) {
  ValueReader reader(key, value);
  reader.text();
  const auto size = reader.text().size();
  if (!reader.whole()) return std::nullopt;
  return size;
}

std::optional<Digest> read_digest_key(std::string_view key) {
  if (key.empty() || key[0] < 0 || key[0] > 1) return std::nullopt;
  const auto* const hash = reinterpret_cast<const std::uint8_t*>(key.data()) + 1;
  auto digest = Digest::of(static_cast<Digest::Algorithm>(key[0]), std::span(hash, key.size() - 1));
  if (!digest) return std::nullopt;
  return *digest;
}

std::string write(std::string_view key, const BlobRecord& blob) {
  return ValueWriter().u64(blob.size).i64(blob.arrived_at).i64(blob.checked_at).seal(key);
}

std::optional<BlobRecord> read_blob(std::string_view key, std::string_view value) {
  ValueReader reader(key, value);
  BlobRecord blob;
  blob.size = reader.u64();
  blob.arrived_at = reader.i64();
  blob.checked_at = reader.i64();
  if (!reader.whole()) return std::nullopt;
  return blob;
}

std::string tag_key(const ImageName& image, const Tag& tag) {
  return name_key(image, tag.str());
}

std::string write_tag(std::string_view key, const ImageName& image, const Tag& tag,
                      const TagRecord& record) {
  return ValueWriter()
      .image(image)
      .text(tag.str())
      .digest(record.digest)
      .i64(record.checked_at)
      .seal(key);
}

std::optional<TagRecord> read_tag(std::string_view key, std::string_view value,
                                  const ImageName& image, const Tag& tag) {
  ValueReader reader(key, value);
  if (!reader.is(image) || reader.text() != tag.str()) return std::nullopt;
  const auto digest = reader.digest();
  const auto checked_at = reader.i64();
  if (!digest || !reader.whole()) return std::nullopt;
  return TagRecord{.digest = *digest, .checked_at = checked_at};
}

std::optional<TagEntry> read_tag_entry(std::string_view key, std::string_view value) {
  ValueReader reader(key, value);
  auto image = reader.image();
  auto tag = reader.tag();
  const auto digest = reader.digest();
  const auto checked_at = reader.i64();
  if (!image || !tag || !digest || !reader.whole()) return std::nullopt;
  if (key != tag_key(*image, *tag)) return std::nullopt;
  return TagEntry{.image = *std::move(image),
                  .tag = *std::move(tag),
                  .record = {.digest = *digest, .checked_at = checked_at}};
}

namespace {

/// The last part of a value.
std::optional<GrantRecord> read_grant_record(ValueReader& reader) {
  GrantRecord record{.granted_at = reader.i64()};
  record.platform = reader.text();
  const auto proof = reader.u8();
  if (!reader.whole() || proof > static_cast<std::uint8_t>(Proof::given)) return std::nullopt;
  record.proof = static_cast<Proof>(proof);
  return record;
}

}  // namespace

std::string grant_key(const ImageName& image, const Digest& digest) {
  return name_key(image, digest_key(digest));
}

std::string write_grant(std::string_view key, const ImageName& image, const Digest& digest,
                        const GrantRecord& record) {
  return ValueWriter()
      .image(image)
      .digest(digest)
      .i64(record.granted_at)
      .text(record.platform)
      .u8(static_cast<std::uint8_t>(record.proof))
      .seal(key);
}

std::optional<GrantRecord> read_grant(std::string_view key, std::string_view value,
                                      const ImageName& image, const Digest& digest) {
  ValueReader reader(key, value);
  if (!reader.is(image) || reader.digest() != digest) return std::nullopt;
  return read_grant_record(reader);
}

std::optional<GrantEntry> read_grant_entry(std::string_view key, std::string_view value) {
  ValueReader reader(key, value);
  auto image = reader.image();
  const auto digest = reader.digest();
  auto record = read_grant_record(reader);
  if (!image || !digest || !record) return std::nullopt;
  if (key != grant_key(*image, *digest)) return std::nullopt;
  return GrantEntry{.image = *std::move(image), .digest = *digest, .record = *std::move(record)};
}

}  // namespace archway::cache::codec
