#include "cache/record_codec.hpp"

#include "cache/crc32c.hpp"
#include "cache/hasher.hpp"

#include <bit>
#include <span>

namespace archway::cache::codec {
namespace {

constexpr std::string_view magic = "archway index";
constexpr std::size_t crc_bytes = 4;

template <class Number>
void append_number(std::string& out, Number value) {
  for (std::size_t i = 0; i < sizeof value; ++i) out += static_cast<char>(value >> (8 * i) & 0xff);
}

/// Builds a value: a place for the CRC, then the fields one after the other.
class Writer {
 public:
  Writer& u8(std::uint8_t value) { return append_number(bytes_, value), *this; }
  Writer& u32(std::uint32_t value) { return append_number(bytes_, value), *this; }
  Writer& u64(std::uint64_t value) { return append_number(bytes_, value), *this; }
  Writer& i64(std::int64_t value) { return u64(static_cast<std::uint64_t>(value)); }
  Writer& text(std::string_view value) {
    u32(static_cast<std::uint32_t>(value.size()));
    bytes_ += value;
    return *this;
  }
  Writer& digest(const Digest& value) { return text(digest_key(value)); }
  Writer& image(const ImageName& value) {
    return text(value.upstream).text(value.repository.str());
  }

  std::string seal(std::string_view key) {
    std::string crc;
    append_number(crc, crc32c(std::string_view(bytes_).substr(crc_bytes), crc32c(key)));
    bytes_.replace(0, crc_bytes, crc);
    return std::move(bytes_);
  }

 private:
  std::string bytes_ = std::string(crc_bytes, '\0');
};

/// Takes a value apart; once anything is missing, everything after it is zero and whole() false.
class Reader {
 public:
  Reader(std::string_view key, std::string_view value) : rest_(value) {
    const auto crc = u32();
    fits_ = fits_ && crc == crc32c(rest_, crc32c(key));
  }

  std::uint8_t u8() { return number<std::uint8_t>(); }
  std::uint32_t u32() { return number<std::uint32_t>(); }
  std::uint64_t u64() { return number<std::uint64_t>(); }
  std::int64_t i64() { return static_cast<std::int64_t>(u64()); }
  std::string_view text() { return take(u32()); }
  std::optional<Digest> digest() {
    const auto bytes = text();
    if (bytes.empty() || bytes[0] < 0 || bytes[0] > 1) return std::nullopt;
    const auto* const hash = reinterpret_cast<const std::uint8_t*>(bytes.data()) + 1;
    const auto value =
        Digest::of(static_cast<Digest::Algorithm>(bytes[0]), std::span(hash, bytes.size() - 1));
    if (!value) return std::nullopt;
    return *value;
  }
  bool is(const ImageName& image) {
    const auto upstream = text();
    const auto repository = text();
    return upstream == image.upstream && repository == image.repository.str();
  }

  bool whole() const { return fits_ && rest_.empty(); }

 private:
  std::string_view take(std::size_t count) {
    fits_ = fits_ && count <= rest_.size();
    if (!fits_) return {};
    const auto taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }

  template <class Number>
  Number number() {
    Number value = 0;
    const auto bytes = take(sizeof value);
    for (std::size_t i = bytes.size(); i > 0; --i) {
      value =
          static_cast<Number>(std::uint64_t{value} << 8 | static_cast<std::uint8_t>(bytes[i - 1]));
    }
    return value;
  }

  std::string_view rest_;
  bool fits_ = true;
};

// Two names in a row could be cut at another place; a zero byte occurs in neither.
std::string hashed(const ImageName& image, std::string_view third) {
  std::string text = image.upstream;
  text += '\0';
  text += image.repository.str();
  text += '\0';
  text += third;
  return sha256(text);
}

}  // namespace

std::string header_key() {
  return "header";
}

std::string write(std::string_view key, const Header& header) {
  return Writer()
      .text(magic)
      .u32(index_format)
      .u8(sizeof(void*))
      .u8(std::endian::native == std::endian::little ? 1 : 2)
      .u8(header.clean ? 1 : 0)
      .text(header.boot_id)
      .seal(key);
}

std::optional<Header> read_header(std::string_view key, std::string_view value) {
  Reader reader(key, value);
  const bool ours = reader.text() == magic && reader.u32() == index_format &&
                    reader.u8() == sizeof(void*) &&
                    reader.u8() == (std::endian::native == std::endian::little ? 1 : 2);
  if (!ours) return std::nullopt;
  Header header{.clean = reader.u8() == 1, .boot_id = std::string(reader.text())};
  if (!reader.whole()) return std::nullopt;
  return header;
}

std::string blob_bytes_key() {
  return "blob bytes";
}

std::string write_number(std::string_view key, std::uint64_t number) {
  return Writer().u64(number).seal(key);
}

std::optional<std::uint64_t> read_number(std::string_view key, std::string_view value) {
  Reader reader(key, value);
  const auto number = reader.u64();
  if (!reader.whole()) return std::nullopt;
  return number;
}

std::string digest_key(const Digest& digest) {
  const auto hash = digest.bytes();
  std::string key(1, static_cast<char>(digest.algorithm()));
  key.append(hash.begin(), hash.end());
  return key;
}

std::string write(std::string_view key, const ManifestRecord& manifest) {
  return Writer().text(manifest.media_type).text(manifest.bytes).seal(key);
}

std::optional<ManifestRecord> read_manifest(std::string_view key, std::string_view value) {
  Reader reader(key, value);
  const auto media_type = reader.text();
  const auto bytes = reader.text();
  if (!reader.whole()) return std::nullopt;
  return ManifestRecord{.media_type = std::string(media_type), .bytes = std::string(bytes)};
}

std::string write(std::string_view key, const BlobRecord& blob) {
  return Writer().u64(blob.size).i64(blob.arrived_at).seal(key);
}

std::optional<BlobRecord> read_blob(std::string_view key, std::string_view value) {
  Reader reader(key, value);
  BlobRecord blob;
  blob.size = reader.u64();
  blob.arrived_at = reader.i64();
  if (!reader.whole()) return std::nullopt;
  return blob;
}

std::string tag_key(const ImageName& image, const Tag& tag) {
  return hashed(image, tag.str());
}

std::string write_tag(std::string_view key, const ImageName& image, const Tag& tag,
                      const TagRecord& record) {
  return Writer()
      .image(image)
      .text(tag.str())
      .digest(record.digest)
      .i64(record.checked_at)
      .seal(key);
}

std::optional<TagRecord> read_tag(std::string_view key, std::string_view value,
                                  const ImageName& image, const Tag& tag) {
  Reader reader(key, value);
  if (!reader.is(image) || reader.text() != tag.str()) return std::nullopt;
  const auto digest = reader.digest();
  const auto checked_at = reader.i64();
  if (!digest || !reader.whole()) return std::nullopt;
  return TagRecord{.digest = *digest, .checked_at = checked_at};
}

std::string grant_key(const ImageName& image, const Digest& digest) {
  return hashed(image, digest_key(digest));
}

std::string write_grant(std::string_view key, const ImageName& image, const Digest& digest,
                        std::int64_t granted_at) {
  return Writer().image(image).digest(digest).i64(granted_at).seal(key);
}

std::optional<std::int64_t> read_grant(std::string_view key, std::string_view value,
                                       const ImageName& image, const Digest& digest) {
  Reader reader(key, value);
  if (!reader.is(image) || reader.digest() != digest) return std::nullopt;
  const auto granted_at = reader.i64();
  if (!reader.whole()) return std::nullopt;
  return granted_at;
}

}  // namespace archway::cache::codec
