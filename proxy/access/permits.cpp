#include "proxy/access/permits.hpp"

namespace archway::proxy {

Permits::Permits(std::function<Clock::time_point()> now)
    : now_(now ? std::move(now) : std::function<Clock::time_point()>(&Clock::now)) {}

std::string Permits::key(const ImageName& image, const Shown& shown) const {
  const auto name = image.str();
  if (shown.basic) return hash_.of({name, "basic", shown.basic->username, shown.basic->password});
  if (!shown.bearer.empty()) return hash_.of({name, "bearer", shown.bearer});
  return hash_.of({name});
}

Permits::Word Permits::find(const std::string& key) const {
  const std::lock_guard lock(mutex_);
  const auto holds = [&](const Table& table) {
    const auto found = table.find(key);
    return found != table.end() && found->second > now_();
  };
  if (holds(granted_)) return Word::granted;
  return holds(refused_) ? Word::refused : Word::unknown;
}

void Permits::grant(const std::string& key, std::chrono::seconds recheck) {
  const std::lock_guard lock(mutex_);
  refused_.erase(key);
  keep(granted_, key, now_(), now_() + recheck);
}

void Permits::refuse(const std::string& key) {
  const std::lock_guard lock(mutex_);
  granted_.erase(key);
  keep(refused_, key, now_(), now_() + refused_for);
}

void Permits::keep(Table& table, const std::string& key, Clock::time_point now,
                   Clock::time_point until) {
  if (table.size() >= kept_max) {
    std::erase_if(table, [&](const auto& one) { return one.second <= now; });
    // Whoever is forgotten is asked for again.
    if (table.size() >= kept_max) table.clear();
  }
  table.insert_or_assign(key, until);
}

}  // namespace archway::proxy
