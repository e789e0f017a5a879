#pragma once

#include <cstdint>
#include <functional>

namespace archway::cache {

/// What came out when everything in the cache was looked at.
struct Verified {
  std::uint64_t blobs = 0;            ///< files that were hashed and are right
  std::uint64_t bytes = 0;            ///< of those
  std::uint64_t damaged = 0;          ///< files that were wrong: they are in quarantine now
  std::uint64_t missing = 0;          ///< records without a file: they are gone now
  std::uint64_t unknown = 0;          ///< right files that had no right record: they have one now
  std::uint64_t records_damaged = 0;  ///< entries of the index that cannot be read
  std::uint64_t parts = 0;            ///< unfinished transfers, not looked at any further
  bool sums_right = true;             ///< the index's totals were what its records say
  bool stopped = false;               ///< before the end, by whoever asked

  /// Nothing was wrong.
  bool all_right() const {
    return damaged + missing + unknown + records_damaged == 0 && sums_right;
  }
};

/// Told now and then how many bytes were read of about how many; false: stop.
using VerifyProgress = std::function<bool(std::uint64_t done, std::uint64_t total)>;

}  // namespace archway::cache
