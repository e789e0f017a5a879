#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace archway::metrics {

/// Lets an event through once a minute for each key and counts what it holds back. Remembers at
/// most keys_max keys; one that finds no place is let through.
///
/// Threads: any.
class Seldom {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::seconds pause{60};
  static constexpr std::size_t keys_max = 1024;

  /// How many were held back since the last one that went through; none: hold this one back too.
  std::optional<std::uint64_t> admit(std::string_view key, Time now);

 private:
  struct Entry {
    Time last;
    std::uint64_t held_back = 0;
  };
  std::mutex mutex_;
  std::unordered_map<std::string, Entry> entries_;
};

}  // namespace archway::metrics
