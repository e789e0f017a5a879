#pragma once

#include "cache/blob_file.hpp"
#include "cache/blob_store.hpp"
#include "cache/eviction.hpp"
#include "cache/in_use.hpp"
#include "cache/index.hpp"
#include "cache/pins.hpp"
#include "cache/space_keeper.hpp"
#include "resolver/model/digest.hpp"
#include "resolver/model/result.hpp"

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <span>
#include <string>
#include <unordered_set>

namespace archway::cache {

/// The size that holds: counts the cache's files, knows who reads which, and gives blobs up when
/// room is wanted: the index's records first, then the files, never one that is in use.
///
/// Threads: any. Lifetime: `store`, `index` and `pins` outlive it, and so do fills what they
/// reserved.
class Space {
 public:
  struct Parts {
    BlobStore* store = nullptr;
    Index* index = nullptr;
    /// A fill of this digest is under way, or its file is being hashed. Called under locks: it may
    /// not come back here.
    std::function<bool(const Digest&)> is_filling = {};
    Pins* pins = nullptr;  ///< nullptr: nothing is pinned
    /// As Options has it; empty: no platform is excluded.
    std::function<bool(const std::string& platform)> excluded = {};
  };

  Space(const SpaceLimits& limits, Parts parts);

  /// The file as it is handed out: it counts as served, and is in use until the last copy of what
  /// is returned is gone.
  BlobFile lend(const Digest& digest, BlobFile blob);
  /// The same for a file that nobody can evict yet, for those who will still read it afterwards.
  std::shared_ptr<const FileHandle> lend_part(const Digest& digest,
                                              std::shared_ptr<const FileHandle> file) {
    return in_use_.lend(digest, std::move(file));
  }

  /// The blob is on its way out: there is none any more, though there may be a file.
  bool is_leaving(const Digest& digest) const;
  /// Returns when nothing that was begun before will remove a file of this name.
  void wait_until_gone(const Digest& digest) const;

  /// The same, or it is just being brought or hashed.
  bool is_changing(const Digest& digest) const {
    return is_leaving(digest) || parts_.is_filling(digest);
  }
  /// These seem to have a record and no file: where that is so the record goes.
  void forget_missing(std::span<const Evictable> blobs);
  void set_rank(const Digest& digest, Rank rank) { policy_.set_rank(digest, rank); }
  /// The rank of a blob that came for this image name, by what the index says of it there.
  Rank rank_of(const Digest& digest, const std::string& image) const;

  /// Room for a fill; blocks on the disk when blobs have to go. Errors: SpaceKeeper::reserve().
  Result<SpaceKeeper::Reservation> reserve(std::uint64_t bytes);
  /// The disk has refused that many bytes as one that is full: others go.
  Result<void> free_up(std::uint64_t bytes) { return keeper_.free_up(bytes); }
  /// These blobs go now, but what is in use or pinned: those stay. Blocks on the disk. Errors:
  /// Errc::storage_failed; none is gone then.
  Result<SpaceKeeper::Evicted> remove(std::span<const Evictable> blobs);
  /// Comes back within the limits, should they be passed.
  Result<void> make_room() { return keeper_.make_room(0); }

  SpaceKeeper& keeper() { return keeper_; }
  const SpaceLimits& limits() const { return limits_; }
  SpaceKeeper::Usage usage() const { return keeper_.usage(); }
  std::size_t in_use() const { return in_use_.count(); }

 private:
  class Leaving;
  bool may_go(const Digest& digest) const;
  Result<SpaceKeeper::Evicted> evict(std::span<const Evictable> victims);
  bool leave(const Digest& digest);
  void stop_leaving(std::span<const Evictable> blobs);

  const SpaceLimits limits_;
  const Parts parts_;
  Eviction policy_;
  InUse in_use_;
  mutable std::mutex mutex_;
  mutable std::condition_variable gone_;
  std::unordered_set<Digest> leaving_;  // Guarded by mutex_.
  SpaceKeeper keeper_;                  // Last: it uses everything above.
};

}  // namespace archway::cache
