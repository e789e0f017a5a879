#pragma once

#include "proxy/http/message.hpp"

#include <chrono>
#include <cstdint>
#include <optional>

namespace archway::proxy {

/// What an upstream says about how often it may still be asked.
struct RateLimit {
  std::uint64_t limit = 0;
  std::uint64_t remaining = 0;
  /// What the limit is for; 0: it did not say.
  std::chrono::seconds window{0};

  /// Less than a tenth is left: what need not be asked is left for those who wait.
  bool is_low() const { return remaining < limit / low_part; }

  static constexpr std::uint64_t low_part = 10;
};

/// `ratelimit-limit` and `ratelimit-remaining`, each a number, with or without `;w=SECONDS`. None
/// when one of them is not there or is not one.
///
/// Source: Docker Hub's documentation, "Pull rate limit".
std::optional<RateLimit> read_rate_limit(const Fields& fields);

}  // namespace archway::proxy
