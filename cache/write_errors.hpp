#pragma once

#include "metrics/log.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace archway::cache {

/// Why the disk did not take what should have been stored.
enum class Refusal : std::uint8_t { enospc, edquot, eio, erofs, other };
inline constexpr std::array refusals_all{Refusal::enospc, Refusal::edquot, Refusal::eio,
                                         Refusal::erofs, Refusal::other};

/// As a log word and metric label.
constexpr std::string_view name(Refusal refusal) {
  constexpr std::array<std::string_view, refusals_all.size()> names{"enospc", "edquot", "eio",
                                                                    "erofs", "other"};
  return names.at(static_cast<std::size_t>(refusal));
}

/// How often, by why.
using RefusalCounts = std::array<std::uint64_t, refusals_all.size()>;

/// Counts what the disk refuses, and says so in the log once a minute for each reason: a full disk
/// refuses everything.
///
/// Threads: any.
class WriteErrors {
 public:
  /// `log` may be null.
  explicit WriteErrors(metrics::Log* log) : log_(log) {}

  /// `error` is an errno, `doing` what failed: "create fills/…".
  void note(int error, std::string_view doing);

  /// Since the start.
  RefusalCounts counts() const;

 private:
  metrics::Log* log_;
  std::array<std::atomic<std::uint64_t>, refusals_all.size()> counts_{};
};

}  // namespace archway::cache
