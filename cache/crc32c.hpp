#pragma once

#include <cstdint>
#include <string_view>

namespace archway::cache {

/// CRC-32C (Castagnoli) of some bytes; `before` is the CRC of what stands in front of them, so
/// that a CRC can be taken in pieces.
///
/// Source: RFC 3720, section 12.1 and appendix B.4.
std::uint32_t crc32c(std::string_view bytes, std::uint32_t before = 0) noexcept;

}  // namespace archway::cache
