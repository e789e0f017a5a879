#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

namespace archway::proxy {

/// The upstreams of which nothing is fetched ahead for a while, because they failed or said that
/// they are busy: a minute at first, twice as long each time it happens again, up to a quarter of
/// an hour; and never shorter than they asked for.
///
/// Threads: any.
class Spared {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::seconds first = std::chrono::minutes(1);
  static constexpr std::chrono::seconds longest = std::chrono::minutes(15);

  /// It failed. `retry_after`: what it asked for, 0 when it did not say. One that is spared already
  /// is spared no longer than before, unless it asked for it. True when it was not.
  bool failed(const std::string& upstream, std::chrono::seconds retry_after, Time now);
  /// It answered, so the next failure is a first one again. What was on its way to one that is
  /// spared says nothing.
  void answered(const std::string& upstream, Time now);

  bool is_spared(const std::string& upstream, Time now) const { return until(upstream) > now; }
  /// Until when; a time in the past when it is not spared.
  Time until(const std::string& upstream) const;

 private:
  struct Entry {
    Time until = {};
    std::chrono::seconds next = first;
  };
  mutable std::mutex mutex_;
  std::map<std::string, Entry> entries_;  // Names of the configuration: bounded.
};

}  // namespace archway::proxy
