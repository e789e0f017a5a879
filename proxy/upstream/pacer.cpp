#include "proxy/upstream/pacer.hpp"

#include <algorithm>

namespace archway::proxy {

std::size_t Pacer::piece() const {
  constexpr std::uint64_t pieces_per_s = 8;
  constexpr std::uint64_t largest = std::uint64_t{1} << 30;
  return static_cast<std::size_t>(
      std::clamp<std::uint64_t>(bytes_per_s_ / pieces_per_s, piece_min, largest));
}

Pacer::Clock::duration Pacer::spend(std::size_t bytes, Clock::time_point now) {
  const std::chrono::duration<double> worth(static_cast<double>(bytes) /
                                            static_cast<double>(bytes_per_s_));
  const std::lock_guard lock(mutex_);
  spent_until_ = std::max(spent_until_, now) + std::chrono::duration_cast<Clock::duration>(worth);
  return std::max(Clock::duration::zero(), spent_until_ - now - at_once);
}

}  // namespace archway::proxy
