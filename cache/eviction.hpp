#pragma once

#include "cache/eviction_slots.hpp"
#include "cache/ghosts.hpp"
#include "resolver/model/digest.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

namespace archway::cache {

/// Which blobs go before all others.
enum class Rank : std::uint8_t {
  excluded,  ///< nobody is meant to ask for it any more; goes first
  ordinary,
};

/// A blob as the eviction policy names it.
struct Evictable {
  Digest digest;
  std::uint64_t size = 0;  ///< bytes
  Rank rank = Rank::ordinary;

  friend bool operator==(const Evictable&, const Evictable&) = default;
};

/// Which blob goes when room is wanted; it decides, and touches no file.
///
/// S3-FIFO: what is new waits in a small queue (a tenth of the bytes) and goes from there, unless
/// it was asked for again; then it moves to the main queue, where every hit (three count) earns one
/// more round. Who is asked for again soon after it went comes back into the main queue. So a scan
/// of everything passes through the small queue and leaves the main one as it is.
///
/// Size-aware, because most blobs are small and all of those together take next to nothing (of the
/// simulated ones six of ten are under 1 MiB, with a hundredth of the bytes): each queue is divided
/// by size, and of the oldest in each division the one goes first whose
/// age × size / (size + 4 × the mean size) is the greatest. Large ones go by age alone; small ones
/// stay longer. Chosen by `./dev bench eviction`: hits by bytes as S3-FIFO has them, far more by
/// requests, ahead of LRU and FIFO in both. SIEVE divided in the same way has as many by requests,
/// but by bytes fewer than LRU at 5 and 10 % of the working set: no queue of it holds up a scan.
///
/// The same calls in the same order give the same victims. Memory: 80 to 85 bytes a blob, measured.
///
/// Threads: any. hit() takes the lock of one shard; the others wait for each other.
/// Source: Yang et al., "FIFO queues are all you need for cache eviction", SOSP '23; Zhang et al.,
/// "SIEVE is simpler than LRU", NSDI '24.
class Eviction {
 public:
  using MayGo = std::function<bool(const Digest&)>;

  /// A blob is there now; true when it was unknown. One that was known takes the new size and rank.
  bool add(const Evictable& blob);

  /// It was served. One look-up and a counter; nothing when it is unknown.
  void hit(const Digest& digest) { slots_.hit(digest); }

  /// It has that rank from now on; nothing when it is unknown or has it already.
  void set_rank(const Digest& digest, Rank rank);

  /// It is gone for another reason than eviction. Its size, if it was known.
  std::optional<std::uint64_t> remove(const Digest& digest);

  /// The one to go now, and it is forgotten here: who cannot evict it adds it again. Each candidate
  /// that `may_go` (called under the lock: it may not come back here) refuses counts as served, and
  /// the next one is asked. Nothing when none may go.
  std::optional<Evictable> victim(const MayGo& may_go);

  std::uint64_t bytes() const;
  std::size_t count() const;

 private:
  using Id = EvictionSlots::Id;
  static constexpr Id none = EvictionSlots::none;
  static constexpr std::size_t divisions = 16;  // By size: < 4 bytes, < 16, … < 1 GiB, the rest.

  struct List {
    Id oldest = none;
    Id newest = none;
  };
  struct Queue {
    std::array<List, divisions> lists;
    std::uint64_t bytes = 0;
  };
  enum class Place : std::uint8_t { fresh, main, excluded };

  static std::uint8_t list_of(Place place, std::uint64_t size);
  static Place place_of(std::uint8_t list) { return static_cast<Place>(list / divisions); }
  Queue& queue(Place place) { return queues_[static_cast<std::size_t>(place)]; }

  void change(Id id, const Evictable& blob);
  void push(Id id, Place place);
  void unlink(Id id);
  void forget(Id id);
  Id foremost(Place place) const;
  Id next_to_go();

  mutable std::mutex mutex_;  // Before a shard's.
  EvictionSlots slots_;
  Ghosts ghosts_;
  std::array<Queue, 3> queues_;
  std::uint64_t bytes_ = 0;
  std::size_t count_ = 0;
  std::uint32_t added_ = 0;  // Ever; wraps around.
};

}  // namespace archway::cache
