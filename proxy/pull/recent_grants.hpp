#pragma once

#include "resolver/model/digest.hpp"
#include "resolver/model/name.hpp"

#include <mutex>
#include <set>
#include <utility>

namespace archway::proxy {

/// The grants that are on their way into the index: an upstream has said that this image name holds
/// the digest, and the commit that says so is not readable yet. Bounded by the index's own queue.
///
/// Threads: any.
class RecentGrants {
 public:
  void add(const ImageName& image, const Digest& digest) {
    const std::lock_guard lock(mutex_);
    grants_.emplace(image, digest);
  }
  void remove(const ImageName& image, const Digest& digest) {
    const std::lock_guard lock(mutex_);
    const auto one = grants_.find({image, digest});
    if (one != grants_.end()) grants_.erase(one);
  }
  bool contains(const ImageName& image, const Digest& digest) const {
    const std::lock_guard lock(mutex_);
    return grants_.contains({image, digest});
  }

 private:
  mutable std::mutex mutex_;
  std::multiset<std::pair<ImageName, Digest>> grants_;  // One for each commit that is under way.
};

}  // namespace archway::proxy
