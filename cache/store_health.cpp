#include "cache/store_health.hpp"

#include <algorithm>
#include <vector>

namespace archway::cache {

bool StoreHealth::could_not_read(const Digest& digest) {
  const std::lock_guard lock(mutex_);
  if (bad_) return true;
  const auto now = parts_.now();
  while (!unreadable_.empty() && unreadable_.front().first + together < now) {
    unreadable_.pop_front();
  }
  const bool known = std::any_of(unreadable_.begin(), unreadable_.end(),
                                 [&digest](const auto& one) { return one.second == digest; });
  if (!known) unreadable_.emplace_back(now, digest);
  if (unreadable_.size() < unreadable_max) return false;
  bad_ = true;
  parts_.serve(false);
  if (log_ != nullptr) {
    log_->write(metrics::Level::error,
                "the disk of the cache is out of service: blob after blob cannot be read; "
                "everything comes from the upstreams until the disk answers again",
                {{"unreadable", unreadable_.size()}, {"the_last", digest.str()}});
  }
  return true;
}

std::chrono::milliseconds StoreHealth::step() {
  if (!bad_) return probe_pause;
  std::vector<Digest> unreadable;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [when, digest] : unreadable_) unreadable.push_back(digest);
  }
  if (!parts_.probe(unreadable)) return probe_pause;
  const std::lock_guard lock(mutex_);
  unreadable_.clear();
  parts_.serve(true);
  bad_ = false;
  if (log_ != nullptr) {
    log_->write(metrics::Level::warn, "the disk of the cache answers again and is in service", {});
  }
  return probe_pause;
}

}  // namespace archway::cache
