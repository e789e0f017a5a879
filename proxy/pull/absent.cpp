#include "proxy/pull/absent.hpp"

namespace archway::proxy {

bool is_about_image(const Error& error) {
  return error.code == Errc::manifest_unknown || error.code == Errc::name_unknown ||
         error.code == Errc::denied;
}

void Absent::remember(const std::string& key, const Error& error, Time now) {
  if (time_.count() == 0 || error.origin != Origin::upstream || !is_about_image(error)) return;
  const std::lock_guard lock(mutex_);
  if (entries_.size() >= entries_max) {
    std::erase_if(entries_, [now](const auto& entry) { return entry.second.until <= now; });
  }
  // Asking again costs little; room without end for what anybody makes up would not.
  if (entries_.size() >= entries_max) entries_.clear();
  entries_.insert_or_assign(key, Entry{error, now + time_});
}

std::optional<Error> Absent::find(const std::string& key, Time now) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  if (found == entries_.end() || found->second.until <= now) return std::nullopt;
  return found->second.error;
}

void Absent::clear() {
  const std::lock_guard lock(mutex_);
  entries_.clear();
}

}  // namespace archway::proxy
