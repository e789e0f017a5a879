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
  if (granted_.holds(key, now_())) return Word::granted;
  return refused_.holds(key, now_()) ? Word::refused : Word::unknown;
}

void Permits::grant(const std::string& key, std::chrono::seconds recheck) {
  const std::lock_guard lock(mutex_);
  refused_.erase(key);
  granted_.keep(key, now_() + recheck);
}

void Permits::refuse(const std::string& key) {
  const std::lock_guard lock(mutex_);
  granted_.erase(key);
  refused_.keep(key, now_() + refused_for);
}

bool Permits::Table::holds(const std::string& key, Clock::time_point now) const {
  const auto found = ends_.find(key);
  return found != ends_.end() && found->second > now;
}

void Permits::Table::erase(const std::string& key) {
  const auto found = ends_.find(key);
  if (found == ends_.end()) return;
  order_.erase({found->second, key});
  ends_.erase(found);
}

void Permits::Table::keep(const std::string& key, Clock::time_point until) {
  erase(key);
  while (ends_.size() >= kept_max) {
    const std::string first = order_.begin()->second;
    erase(first);
  }
  ends_.emplace(key, until);
  order_.emplace(until, key);
}

}  // namespace archway::proxy
