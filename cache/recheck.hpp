#pragma once

#include "cache/blob_file.hpp"
#include "cache/blob_keeper.hpp"
#include "cache/growing_fill.hpp"
#include "cache/work_pool.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

namespace archway::cache {

/// Hashes suspect blobs again while they are served: the existing file is followed like one that
/// arrives, at the pace of its hashing, and its end is withheld in the same way.
///
/// Threads: any.
class Recheck {
 public:
  /// How many blobs are hashed at once.
  static constexpr std::size_t threads = 2;
  /// A blob up to this size is not begun before it is known to be right, so that no client ever
  /// sees its damage: whoever waits for its headers gets a new fill instead.
  static constexpr std::uint64_t unseen_bytes_max = 4 << 20;

  /// Takes the fill off the list of running ones.
  using Leave = std::function<void(const GrowingFill&)>;

  /// `keeper` outlives it.
  Recheck(BlobKeeper* keeper, Leave leave)
      : keeper_(keeper), leave_(std::move(leave)), pool_(threads) {}

  /// Begins to hash the file; the fill moves on with it. Returns at once.
  ///
  /// A file that is wrong goes to quarantine and the fill fails with Errc::storage_failed,
  /// retryable: whoever asks next gets a new one.
  void start(std::shared_ptr<GrowingFill> fill, BlobKeeper::Seen seen);

 private:
  void run(GrowingFill& fill, const BlobKeeper::Seen& seen, const std::atomic<bool>& ending);

  BlobKeeper* keeper_;
  Leave leave_;
  WorkPool pool_;  // Last: its threads use what is above.
};

}  // namespace archway::cache
