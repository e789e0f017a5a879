#pragma once

#include "cache/blob_keeper.hpp"
#include "cache/cache.hpp"
#include "cache/growing_fill.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

namespace archway::cache {

/// The fills under way: at most one for each digest.
///
/// Threads: any.
class FillTable {
 public:
  using Look = std::function<BlobKeeper::Seen()>;
  using Start = std::function<std::unique_ptr<FillWriter>(std::shared_ptr<GrowingFill>)>;
  using Recheck = std::function<void(std::shared_ptr<GrowingFill>, BlobKeeper::Seen)>;

  /// The running fill; else the file, if `look` finds it now; else a new fill: of the file by
  /// `recheck`, when it is suspect, or with the writer that `start` makes. The lock is held for all
  /// of that, so `look` may cost one open(2) and no more, and the others nothing.
  ///
  /// A fill leaves the table only when its file has the final name, so one that ended after the
  /// caller had looked for the file by itself is found by `look`, and never started twice.
  Cache::Access join(const Digest& digest, const std::string& asker, const Look& look,
                     const Start& start, const Recheck& recheck);

  std::shared_ptr<Fill> find(const Digest& digest) const;
  /// How many there are that somebody brings,
  std::size_t size() const;
  /// and how many of blobs that are here and hashed again.
  std::size_t rechecks() const;

  /// This fill is over; another one of the same digest stays.
  void leave(const GrowingFill& fill);

 private:
  mutable std::mutex mutex_;
  std::unordered_map<Digest, std::shared_ptr<GrowingFill>> fills_;  // Guarded by mutex_.
  std::size_t rechecks_ = 0;                                        // Guarded by mutex_.
};

}  // namespace archway::cache
