#pragma once

#include "cache/lmdb.hpp"
#include "resolver/model/result.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>

namespace archway::cache {

/// Writes a copy of the index as it is now to `directory`/snapshot.mdb, durably, in place of the
/// one before, while whoever reads or writes goes on.
///
/// Errors: Errc::storage_failed; the snapshot before is still there then.
Result<void> write_snapshot(const lmdb::Environment& environment,
                            const std::filesystem::path& directory);

/// When to take a snapshot: once the index has changed and then been quiet for a minute, and every
/// ten minutes while it keeps changing; but never more than a MiB is written a minute on average,
/// because memory cards wear.
///
/// Threads: one at a time.
class SnapshotSchedule {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::seconds quiet{60};
  static constexpr std::chrono::minutes longest{10};
  static constexpr std::uint64_t bytes_a_minute = 1 << 20;

  explicit SnapshotSchedule(Clock::time_point now) : taken_at_(now) {}

  /// `commits` is the index's count of changes so far, `bytes` what a snapshot costs.
  bool is_due(std::uint64_t commits, std::uint64_t bytes, Clock::time_point now);

 private:
  std::uint64_t taken_commits_ = 0;  // What the last snapshot had of them.
  Clock::time_point taken_at_;
  std::uint64_t seen_commits_ = 0;
  Clock::time_point first_seen_at_{};  // When the first change since that snapshot was seen,
  Clock::time_point last_seen_at_{};   // and when the last one.
};

}  // namespace archway::cache
