#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace archway::resolver {

/// A single range of bytes: `length` bytes from `offset`.
struct ByteRange {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;

  friend bool operator==(const ByteRange&, const ByteRange&) = default;
};

/// What a Range header asks of an object of `size` bytes.
struct RangeRequest {
  enum class Kind : std::uint8_t {
    whole,          ///< no Range, one that cannot be read, or several ranges: 200 and everything
    part,           ///< 206 and `range`
    unsatisfiable,  ///< 416
  };
  Kind kind = Kind::whole;
  ByteRange range = {};
};

/// Source: RFC 9110 section 14.2. Several ranges are answered with the whole, as it permits.
RangeRequest read_range(std::string_view header, std::uint64_t size);

/// The offset of `bytes=N-` alone, where the size is not known yet; none for any other form.
std::optional<std::uint64_t> open_range_offset(std::string_view header);

/// True when an If-Range value permits the range: it is absent ("") or equals our strong ETag.
bool if_range_permits(std::string_view if_range, std::string_view etag);

}  // namespace archway::resolver
