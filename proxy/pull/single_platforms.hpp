#pragma once

#include "resolver/model/digest.hpp"
#include "resolver/model/platform.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <unordered_set>

namespace archway::proxy {

/// What single manifests run on, by the manifest's digest, so that a config is read once. A
/// digest's answer never changes; the oldest ones make room when there are `max`.
///
/// Threads: any.
class SinglePlatforms {
 public:
  explicit SinglePlatforms(std::size_t max = 4096) : max_(max) {}

  /// What a config said.
  struct Known {
    std::optional<Platform> runs_on;  ///< none: it names no platform
  };
  std::optional<Known> find(const Digest& manifest) const;
  void remember(const Digest& manifest, Known known);
  /// How many were remembered since the start.
  std::uint64_t learnt() const { return learnt_; }

  /// The right to read one manifest's config in the background; given back with this object, which
  /// must not outlive the SinglePlatforms.
  class Claim {
   public:
    Claim(Claim&& other) noexcept;
    Claim& operator=(Claim&&) = delete;
    ~Claim();

   private:
    friend class SinglePlatforms;
    Claim(SinglePlatforms* owner, const Digest& manifest) : owner_(owner), manifest_(manifest) {}
    SinglePlatforms* owner_;
    Digest manifest_;
  };
  /// None while somebody else has it.
  std::optional<Claim> claim(const Digest& manifest);

 private:
  void give_back(const Digest& manifest);

  const std::size_t max_;
  std::atomic<std::uint64_t> learnt_ = 0;
  mutable std::mutex mutex_;
  std::unordered_map<Digest, Known> known_;
  std::deque<Digest> order_;  // Of known_, the oldest first.
  std::unordered_set<Digest> claimed_;
};

}  // namespace archway::proxy
