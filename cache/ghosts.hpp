#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace archway::cache {

/// What was evicted lately: who is asked for again soon after it went had more worth than its first
/// stay could show.
///
/// Remembers hashes of 32 bits, 8 bytes each, in a table of bounded size: it may forget early and,
/// once in a billion, take one for another; it only advises.
/// Threads: one at a time.
class Ghosts {
 public:
  Ghosts();

  /// `size` bytes with this hash were evicted.
  void add(std::uint64_t hash, std::uint64_t size);

  /// True when it was evicted, and no more than `reach` bytes have been evicted since. It is
  /// forgotten.
  bool take(std::uint64_t hash, std::uint64_t reach);

  /// From now on room for at least so many.
  void hold(std::size_t count);

 private:
  struct Ghost {
    std::uint32_t hash = 0;  ///< 0: nobody
    std::uint32_t when = 0;  ///< how much had been evicted, in units
  };
  static constexpr std::size_t ways = 8;       // Places where one hash may stand.
  static constexpr std::uint64_t unit = 4096;  // Bytes; 32 bits of them are 16 TiB.

  std::uint32_t now() const { return static_cast<std::uint32_t>(evicted_ / unit); }
  Ghost* places(std::uint32_t hash);
  void put(Ghost ghost);

  std::vector<Ghost> ghosts_;  // Buckets of `ways`; as many as a power of two.
  std::uint64_t evicted_ = 0;  // Bytes, ever.
};

}  // namespace archway::cache
