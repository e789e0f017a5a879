#include "proxy/upstream/suspects.hpp"

#include <utility>

namespace archway::proxy {
namespace {

std::uint32_t bit(std::size_t place) {
  return place < Suspects::places_max ? std::uint32_t{1} << place : 0;
}

}  // namespace

Suspects::Suspects(std::function<Clock::time_point()> now)
    : now_(now ? std::move(now) : std::function<Clock::time_point()>(&Clock::now)) {}

void Suspects::came_from(const Digest& digest, std::size_t place) {
  const std::lock_guard lock(mutex_);
  const auto key = digest.str();
  if (entries_.size() >= digests_max && !entries_.contains(key)) {
    const auto now = now_();
    std::erase_if(entries_, [&](const auto& one) { return one.second.until <= now; });
    if (entries_.size() >= digests_max) entries_.clear();
  }
  entries_[key].gave |= bit(place);
}

void Suspects::disbelieve(const Digest& digest) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(digest.str());
  if (found == entries_.end()) return;
  auto& entry = found->second;
  const auto now = now_();
  for (std::size_t place = 0; place < places_max; ++place) {
    if ((entry.gave & bit(place)) != 0) entry.caught[place] = now;
  }
  entry.gave = 0;
  entry.until = now + suspected_for;
}

std::optional<Suspects::Clock::time_point> Suspects::caught_at(const Digest& digest,
                                                               std::size_t place) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(digest.str());
  if (found == entries_.end()) return std::nullopt;
  const auto caught = found->second.caught.find(place);
  if (caught == found->second.caught.end()) return std::nullopt;
  if (caught->second + suspected_for <= now_()) return std::nullopt;
  return caught->second;
}

}  // namespace archway::proxy
