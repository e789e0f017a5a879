#pragma once

#include "metrics/log.hpp"
#include "resolver/model/digest.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <span>
#include <utility>

namespace archway::cache {

/// Whether the disk can be believed. When blob after blob cannot be read it is the disk that is
/// broken, or a cable: then the cache is out of service, so that clients get everything from the
/// upstreams and no sound blob is taken for a damaged one. It is back when the disk answers.
///
/// Threads: any.
class StoreHealth {
 public:
  /// So many different blobs that could not be read...
  static constexpr std::size_t unreadable_max = 5;
  /// ... within this time end the service.
  static constexpr std::chrono::minutes together{10};
  /// How often a disk out of service is tried.
  static constexpr std::chrono::seconds probe_pause{30};

  using Clock = std::chrono::steady_clock;
  struct Parts {
    /// The disk answers, which could not read these blobs; blocks on it.
    std::function<bool(std::span<const Digest> unreadable)> probe;
    std::function<void(bool)> serve;  ///< false: out of service from now on; under a lock
    std::function<Clock::time_point()> now = Clock::now;
  };

  /// `log` may be null.
  StoreHealth(Parts parts, metrics::Log* log) : parts_(std::move(parts)), log_(log) {}

  /// The disk said that it cannot read this blob. True when that is no longer believed to be the
  /// blob's fault.
  bool could_not_read(const Digest& digest);
  bool is_bad() const { return bad_; }

  /// A chore of Housekeeping's: tries a disk that is out of service.
  std::chrono::milliseconds step();

 private:
  const Parts parts_;
  metrics::Log* log_;
  std::atomic<bool> bad_ = false;
  std::mutex mutex_;
  std::deque<std::pair<Clock::time_point, Digest>> unreadable_;  // Guarded by mutex_.
};

}  // namespace archway::cache
