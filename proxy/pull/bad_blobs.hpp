#pragma once

#include "resolver/model/digest.hpp"
#include "resolver/model/error.hpp"
#include "resolver/model/name.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

namespace archway::proxy {

/// What upstreams were just caught lying about: the next client hears of it at once, instead of a
/// transfer that breaks off at its end, and the upstream is left alone for a moment.
///
/// Threads: any.
class BadBlobs {
 public:
  using Clock = std::chrono::steady_clock;
  /// So long, and so many at most: past that they are just asked for again.
  static constexpr std::chrono::seconds remembered_for{60};
  static constexpr std::size_t remembered_max = 4096;

  explicit BadBlobs(std::function<Clock::time_point()> now = Clock::now) : now_(std::move(now)) {}

  /// The upstream's bytes for this name and digest had another digest.
  void remember(const ImageName& image, const Digest& digest);
  /// What to say instead of asking again; nothing when there is nothing against it.
  std::optional<Error> find(const ImageName& image, const Digest& digest);

 private:
  void forget_old(Clock::time_point now);

  std::function<Clock::time_point()> now_;
  std::mutex mutex_;
  std::unordered_map<std::string, Clock::time_point> since_;  // Guarded by mutex_, by name@digest.
};

}  // namespace archway::proxy
