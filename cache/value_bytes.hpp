#pragma once

#include "resolver/model/digest.hpp"
#include "resolver/model/name.hpp"
#include "resolver/model/platform.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// How the index's values are put together and taken apart, whatever table they are of: a CRC-32C
/// of the key and the rest, then the fields one after the other; numbers are little-endian, a text
/// has its length before it.
namespace archway::cache::codec {

/// A digest as it is kept: one byte for the algorithm, then the hash.
std::string digest_key(const Digest& digest);

/// A key of 32 bytes for an image name and something of it; two names that differ have two keys.
std::string name_key(const ImageName& image, std::string_view third);

/// True when these are the bytes of some value that was sealed under this key, whatever they say.
bool is_sealed(std::string_view key, std::string_view value);

/// Builds a value: the fields in order, then seal().
class ValueWriter {
 public:
  ValueWriter& u8(std::uint8_t value);
  ValueWriter& u32(std::uint32_t value);
  ValueWriter& u64(std::uint64_t value);
  ValueWriter& i64(std::int64_t value) { return u64(static_cast<std::uint64_t>(value)); }
  ValueWriter& text(std::string_view value);
  ValueWriter& digest(const Digest& value) { return text(digest_key(value)); }
  ValueWriter& image(const ImageName& value);
  ValueWriter& platform(const Platform& value);

  /// The value for this key; the writer is empty then.
  std::string seal(std::string_view key);

 private:
  template <class Number>
  ValueWriter& number(Number value);

  std::string bytes_ = std::string(sizeof(std::uint32_t), '\0');
};

/// Takes a value apart; once anything is missing or makes no sense, everything after it is zero or
/// empty and whole() false.
class ValueReader {
 public:
  /// `value` must outlive the reader.
  ValueReader(std::string_view key, std::string_view value);

  std::uint8_t u8();
  std::uint32_t u32();
  std::uint64_t u64();
  std::int64_t i64() { return static_cast<std::int64_t>(u64()); }
  std::string_view text() { return take(u32()); }
  std::optional<Digest> digest();
  std::optional<ImageName> image();
  std::optional<Tag> tag();
  Platform platform();
  /// True when the next two texts are this name.
  bool is(const ImageName& image);

  /// True when there may be another field: for lists, whose length a value only claims.
  bool more() const { return fits_ && !rest_.empty(); }
  /// True when the bytes are those that were sealed under this key, and all of them were read.
  bool whole() const { return fits_ && rest_.empty(); }

 private:
  std::string_view take(std::size_t count);
  template <class Number>
  Number number();

  std::string_view rest_;
  bool fits_ = true;
};

}  // namespace archway::cache::codec
