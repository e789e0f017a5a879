#pragma once

#include "resolver/model/error.hpp"

#include <chrono>
#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

namespace archway::proxy {

/// What an upstream has just said: that there is no such image, or that it is not for us. For a few
/// seconds it is not asked the same again, whoever asks. Asked only after the cache, so that it
/// hides nothing that is there.
///
/// Threads: any.
class Absent {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::size_t entries_max = 4096;

  /// `time`: how long it is believed; 0: not at all.
  explicit Absent(std::chrono::seconds time) : time_(time) {}

  /// Keeps what an upstream said of `key`, an image's full name. Only an answer about the image: a
  /// failure is not kept.
  void remember(const std::string& key, const Error& error, Time now);
  std::optional<Error> find(const std::string& key, Time now) const;
  void clear();

 private:
  struct Entry {
    Error error;
    Time until;
  };
  const std::chrono::seconds time_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Entry> entries_;
};

/// True for what an upstream says about an image: that it is not there, or not for us.
bool is_about_image(const Error& error);

}  // namespace archway::proxy
