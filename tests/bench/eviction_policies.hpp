#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace archway::bench {

/// What a cache holds, and the order in which it goes. Whoever asks keeps it within its capacity.
class Policy {
 public:
  virtual ~Policy() = default;

  /// True when the blob is there: a hit, which is noted.
  virtual bool ask(std::uint32_t blob) = 0;
  virtual void add(std::uint32_t blob, std::uint64_t size) = 0;
  /// One blob goes; how many bytes that were.
  virtual std::uint64_t evict() = 0;
};

/// A policy to be compared: for so many blobs, in a cache of so many bytes.
struct Contender {
  const char* name;
  std::unique_ptr<Policy> (*make)(std::size_t blobs, std::uint64_t capacity);
};

/// FIFO, LRU, SIEVE and S3-FIFO as their papers have them, with room counted in bytes; SIEVE made
/// size-aware; and last archway's own, the class that ships: S3-FIFO made size-aware.
const std::vector<Contender>& contenders();

}  // namespace archway::bench
