#pragma once

#include "cache/eviction.hpp"
#include "resolver/model/result.hpp"

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

namespace archway::cache {

/// How much the cache may take; 0: no such limit.
struct SpaceLimits {
  std::uint64_t max_size = 0;   ///< bytes of blobs, with what running fills have reserved
  std::uint64_t keep_free = 0;  ///< bytes of the file system that stay free
};

/// What an ordinary user may still write to the file system of this open directory, in bytes;
/// nothing when it does not tell.
std::optional<std::uint64_t> free_bytes(int directory);

/// Keeps the cache within its limits: counts every byte of blobs and fills, and evicts before more
/// come than there is room for.
///
/// The high watermark is the limit: the smaller one of max_size and of what the cache would have if
/// it took all but keep_free of the file system. When it would be passed, blobs go until 95 % of it
/// are left, so that not every fill has to evict. Published and reserved bytes together never pass
/// max_size by anybody's reserving.
///
/// Threads: any; one evicts at a time, others wait for it when they need room themselves. Lifetime:
/// outlives its reservations; the policy outlives it. reserve(), make_room() and
/// Reservation::grow_to() may evict, and so block on the disk.
class SpaceKeeper {
 public:
  /// What became of the blobs that were to go.
  struct Evicted {
    std::uint64_t freed = 0;           ///< bytes; not those of a blob that was gone already
    std::vector<Evictable> stay = {};  ///< these could not go after all
  };

  /// How it reaches what it keeps.
  struct Disk {
    /// Bytes that may still be written, as free_bytes() tells; called under a lock, often.
    std::function<std::optional<std::uint64_t>()> free_bytes;
    /// Whether this blob may go: false when it is pinned or being served. Called under the policy's
    /// lock.
    Eviction::MayGo may_go;
    /// Takes these blobs away, from the index first, and returns when `free_bytes` can see it. An
    /// error when none went; then they stay. It may not ask for room here.
    std::function<Result<Evicted>(std::span<const Evictable>)> evict;
  };

  /// Room that a running fill has; given back by its end, but for what was published.
  /// Threads: one at a time.
  class Reservation {
   public:
    Reservation(Reservation&& other) noexcept;
    Reservation& operator=(Reservation&&) = delete;
    ~Reservation();

    std::uint64_t bytes() const { return bytes_; }

    /// Makes it at least so large. Errors: as reserve(); it stays as it was then.
    Result<void> grow_to(std::uint64_t bytes);

    /// So many of the bytes are in a file by now, written or allocated, and are missing in what the
    /// file system has free.
    void on_disk(std::uint64_t bytes);

    /// The fill is a blob now; nothing stays reserved. One that the policy knows already is not
    /// counted twice.
    void publish(const Evictable& blob);

   private:
    friend class SpaceKeeper;
    Reservation(SpaceKeeper* keeper, std::uint64_t bytes) : keeper_(keeper), bytes_(bytes) {}

    SpaceKeeper* keeper_;
    std::uint64_t bytes_;
    std::uint64_t on_disk_ = 0;
  };

  /// `published`: bytes of the blobs that are there already, whether the policy knows them or not.
  SpaceKeeper(const SpaceLimits& limits, std::uint64_t published, Eviction* policy, Disk disk);

  /// Room for so many bytes; 0 for a fill of unknown size, which grows.
  ///
  /// Errors: Errc::storage_failed, the context begins with "full" when they do not fit: at once,
  /// without evicting anything, when they would not even fit into an empty cache; else when nothing
  /// more may go. Or the error of `evict`.
  Result<Reservation> reserve(std::uint64_t bytes);

  /// The same without reserving, for what comes without a fill; with 0, after somebody else has
  /// written to the file system or the limits were found passed.
  Result<void> make_room(std::uint64_t bytes);

  /// The disk is full, whatever the limits say: so many bytes go, or a little more.
  ///
  /// Errors: as reserve().
  Result<void> free_up(std::uint64_t bytes);

  /// The policy learns of a blob that was counted at the start.
  void know(const Evictable& blob);
  /// A blob was found that nobody had counted.
  void adopt(const Evictable& blob);
  /// A blob's file is gone, for another reason than eviction. `size` is believed where the policy
  /// does not know it; of one that is just being evicted nothing is counted twice.
  void forget(const Digest& digest, std::uint64_t size);
  /// The policy knows every blob that there is: whatever else was counted at the start is not
  /// there.
  void know_all();

  struct Usage {
    std::uint64_t published = 0;      ///< bytes
    std::uint64_t reserved = 0;       ///< bytes, by running fills
    std::uint64_t evicted_blobs = 0;  ///< since the start
    std::uint64_t evicted_bytes = 0;  ///< since the start
    std::uint64_t limit = 0;          ///< bytes that the first two may be now; 0: no limit
  };
  Usage usage() const;

 private:
  std::uint64_t limit() const;
  bool fits(std::uint64_t bytes) const;
  bool is_hopeless(std::uint64_t bytes) const;
  Error full(std::uint64_t bytes) const;
  Result<void> claim(std::uint64_t bytes, bool take);
  std::uint64_t excess(std::uint64_t bytes) const;
  Result<std::uint64_t> evict(std::uint64_t excess);
  Result<Evicted> try_to_evict(const std::vector<Evictable>& victims);
  Result<Evicted> evict_batch(const std::vector<Evictable>& victims);
  std::vector<Evictable> next_victims(std::uint64_t bytes);
  void give_back(std::uint64_t bytes, std::uint64_t on_disk);

  const SpaceLimits limits_;
  Eviction* policy_;
  const Disk disk_;
  std::mutex evicting_;       // Before mutex_.
  mutable std::mutex mutex_;  // For the rest.
  Usage usage_;
  std::uint64_t unknown_;      // Of usage_.published: what the policy does not know yet.
  std::uint64_t on_disk_ = 0;  // Of usage_.reserved.
  std::uint64_t wanted_ = 0;   // By those who evict or wait for it: no newcomer may take it.
};

}  // namespace archway::cache
