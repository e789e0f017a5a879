#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace archway::cache {

/// How it came to light that a blob's file is damaged.
enum class FoundBy : std::uint8_t {
  size,     ///< it was opened, and had another size than its record
  recheck,  ///< it was hashed while it was served, because it was suspect
  scrub,    ///< it was hashed in idle time
  serving,  ///< it could not be read to its end while it was served
  verify,   ///< somebody asked for everything to be hashed
};
inline constexpr std::array found_by_all{FoundBy::size, FoundBy::recheck, FoundBy::scrub,
                                         FoundBy::serving, FoundBy::verify};

/// As a log word and metric label.
constexpr std::string_view name(FoundBy by) {
  constexpr std::array<std::string_view, found_by_all.size()> names{"size", "recheck", "scrub",
                                                                    "serving", "verify"};
  return names.at(static_cast<std::size_t>(by));
}

/// How many damaged blobs were found, by how.
using DamageCounts = std::array<std::uint64_t, found_by_all.size()>;

}  // namespace archway::cache
