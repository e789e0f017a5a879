#include "proxy/pull/spared.hpp"

#include <algorithm>

namespace archway::proxy {

bool Spared::failed(const std::string& upstream, std::chrono::seconds retry_after, Time now) {
  const std::lock_guard lock(mutex_);
  auto& entry = entries_[upstream];
  if (entry.until > now) {
    entry.until = std::max(entry.until, now + retry_after);
    return false;
  }
  entry.until = now + std::max(entry.next, retry_after);
  entry.next = std::min(2 * entry.next, longest);
  return true;
}

void Spared::answered(const std::string& upstream, Time now) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(upstream);
  if (found != entries_.end() && found->second.until <= now) entries_.erase(found);
}

Spared::Time Spared::until(const std::string& upstream) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(upstream);
  return found == entries_.end() ? Time::min() : found->second.until;
}

}  // namespace archway::proxy
