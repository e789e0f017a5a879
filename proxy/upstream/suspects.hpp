#pragma once

#include "resolver/model/digest.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

namespace archway::proxy {

/// Which of an upstream's places gave wrong bytes for a digest, so that another one is asked first
/// the next time, and among them the one that was caught longest ago. Kept for an hour, bounded.
/// Threads: any.
class Suspects {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::size_t digests_max = 4096;
  static constexpr std::size_t places_max = 32;
  static constexpr std::chrono::hours suspected_for{1};

  /// `now` empty: Clock::now.
  explicit Suspects(std::function<Clock::time_point()> now = {});

  /// Bytes for this digest are coming from there.
  void came_from(const Digest& digest, std::size_t place);
  /// They were wrong: every place that gave some is a suspect from now on.
  void disbelieve(const Digest& digest);
  /// When the place's bytes for this digest were last wrong; none for one that is no suspect.
  std::optional<Clock::time_point> caught_at(const Digest& digest, std::size_t place) const;

 private:
  struct Entry {
    std::uint32_t gave = 0;  // a bit a place, since the digest was last disbelieved
    std::map<std::size_t, Clock::time_point> caught = {};  // by place
    Clock::time_point until = {};
  };

  std::function<Clock::time_point()> now_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Entry> entries_;
};

}  // namespace archway::proxy
