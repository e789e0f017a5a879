#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>

namespace archway::proxy {

/// So many bytes a second, of all that share it: whoever has taken some waits for as long as they
/// are worth, behind those who took theirs before. A quarter of a second's worth goes at once.
/// Threads: any.
class Pacer {
 public:
  using Clock = std::chrono::steady_clock;

  /// `bytes_per_s`: at least 1.
  explicit Pacer(std::uint64_t bytes_per_s) : bytes_per_s_(bytes_per_s) {}

  /// What one should take at once, so that nobody waits long behind it.
  std::size_t piece() const;
  /// Notes what was taken; how long its taker has to wait.
  Clock::duration spend(std::size_t bytes, Clock::time_point now);

 private:
  static constexpr std::chrono::milliseconds at_once{250};
  static constexpr std::size_t piece_min = 4096;

  const std::uint64_t bytes_per_s_;
  std::mutex mutex_;
  Clock::time_point spent_until_ = Clock::time_point::min();
};

}  // namespace archway::proxy
