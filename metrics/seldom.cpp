#include "metrics/seldom.hpp"

namespace archway::metrics {

std::optional<std::uint64_t> Seldom::admit(std::string_view key, Time now) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(std::string(key));
  if (found != entries_.end()) {
    Entry& entry = found->second;
    if (now - entry.last < pause) {
      ++entry.held_back;
      return std::nullopt;
    }
    const std::uint64_t held_back = entry.held_back;
    entry = {now, 0};
    return held_back;
  }
  if (entries_.size() >= keys_max) {
    std::erase_if(entries_, [&](const auto& item) { return now - item.second.last >= pause; });
  }
  if (entries_.size() < keys_max) entries_.emplace(key, Entry{now, 0});
  return 0;
}

}  // namespace archway::metrics
