#pragma once

#include <chrono>

namespace archway::proxy {

/// Whether a URL is worth asking. It opens after three failures in a row; while it is open nobody
/// waits for an answer that will not come, and one probe after the other finds out whether there is
/// one again. Pure: no clock, no lock.
class Breaker {
 public:
  using Pause = std::chrono::milliseconds;
  static constexpr int failures_max = 3;
  /// With what a probe takes, the longest that one is not asked who is back.
  static constexpr Pause pause_longest{4000};

  /// `first`: before the first probe.
  explicit Breaker(Pause first) : first_(first), pause_(first) {}

  bool is_open() const { return failures_ >= failures_max; }
  /// In a row.
  int failures() const { return failures_; }

  /// A question was answered: everything is forgotten.
  void answered();
  /// The probe was answered. What clients ask may still fail: the next failure opens it again, and
  /// then for longer.
  void probe_answered();
  /// A question was not answered. True when this opened it.
  bool failed();

  /// How long before the next probe: `first`, and twice as long each time.
  Pause next_pause();

 private:
  Pause first_;
  Pause pause_;
  int failures_ = 0;
};

}  // namespace archway::proxy
