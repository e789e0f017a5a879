#pragma once

#include "resolver/model/digest.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

namespace archway::cache {

/// What Eviction knows of each blob, found by its digest: 56 bytes a blob and about 8 for finding
/// it. Divided into shards by digest, so that those who report hits seldom meet.
///
/// Threads: hit() any. All else is for the one who holds Eviction's lock, which guards the slots
/// but for their hits; each shard's own lock guards those and how slots are found. Slots come and
/// go under both locks, so holding either is enough to look.
class EvictionSlots {
 public:
  using Id = std::uint32_t;
  static constexpr Id none = ~Id{0};
  static constexpr std::uint8_t hits_max = 3;

  struct Slot {
    std::array<std::uint8_t, 32> hash;  ///< the digest's first 32 bytes
    std::uint64_t size = 0;             ///< bytes
    Id older = none;                    ///< its neighbours in its list
    Id newer = none;
    std::uint32_t since = 0;  ///< when it came into its list, in blobs added until then
    std::uint8_t list = 0;
    Digest::Algorithm algorithm = Digest::Algorithm::sha256;
    std::uint8_t hits = 0;  ///< guarded by the shard's lock
  };

  /// Adds one to the hits of the blob, up to hits_max; nothing when it is unknown.
  void hit(const Digest& digest);

  /// `none` when it is unknown.
  Id find(const Digest& digest) const;
  /// For a digest that find() does not know.
  Id insert(const Digest& digest, std::uint64_t size);
  void erase(Id id);

  Slot& operator[](Id id) { return shards_[id % shard_count].slots[id / shard_count]; }
  const Slot& operator[](Id id) const { return shards_[id % shard_count].slots[id / shard_count]; }
  Digest digest(Id id) const;
  std::uint8_t hits(Id id) const;
  void set_hits(Id id, std::uint8_t hits);

 private:
  static constexpr std::size_t shard_count = 16;
  static constexpr std::uint32_t empty = ~std::uint32_t{0};

  struct Shard {
    mutable std::mutex mutex;
    std::deque<Slot> slots;  // Those that were given up are linked by `newer`, from `vacant`.
    std::uint32_t vacant = empty;
    std::size_t used = 0;
    // Open addressing with linear probing; each cell is an index into `slots`, or `empty`.
    std::vector<std::uint32_t> cells = std::vector<std::uint32_t>(8, empty);
    // The rest of a hash that is longer than a slot has room for; very few are.
    std::map<std::uint32_t, std::array<std::uint8_t, 32>> tails;

    std::size_t cell_of(const Digest& digest) const;
    std::size_t home_of(const Slot& slot) const;
    void grow();
  };

  static std::size_t shard_of(const Digest& digest);

  std::array<Shard, shard_count> shards_;
};

}  // namespace archway::cache
