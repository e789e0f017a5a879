#include "proxy/pull/seen.hpp"

#include <algorithm>
#include <optional>

namespace archway::proxy {

namespace {

using cache::SeenRecord;
using Pullers = std::vector<SeenRecord::Puller>;

constexpr std::int64_t written_again_after_s = 3600;
/// The index's queue is bounded, and a group that is too large holds up everybody else's.
constexpr std::size_t changes_at_once = 512;
/// When there is no room this part of the tags goes, so that the next ones do not have to look.
constexpr std::size_t evicted_part = 8;

Pullers::iterator find(Pullers& pullers, const Platform& platform) {
  return std::find_if(pullers.begin(), pullers.end(),
                      [&](const auto& puller) { return puller.platform == platform; });
}

/// 0 when nobody pulls it.
std::int64_t last_pull(const SeenRecord& record) {
  return record.pullers.empty() ? 0 : record.pullers.front().last_pull;
}

/// True when the platform is a new one for this tag.
bool put_first(Pullers& pullers, const Platform& platform, std::int64_t now) {
  const auto found = find(pullers, platform);
  const bool is_new = found == pullers.end();
  if (is_new) {
    pullers.insert(pullers.begin(), {.platform = platform, .last_pull = now});
  } else {
    found->last_pull = now;
    std::rotate(pullers.begin(), found, found + 1);
  }
  if (pullers.size() > cache::seen_platforms_max) pullers.pop_back();
  return is_new;
}

/// What is remembered from before comes behind what was noted since.
void join(Pullers& pullers, const Pullers& before) {
  for (const auto& puller : before) {
    if (pullers.size() == cache::seen_platforms_max) return;
    if (find(pullers, puller.platform) == pullers.end()) pullers.push_back(puller);
  }
}

}  // namespace

/// In the order of the calls, because the lock is held: queueing is short.
void Seen::write(Known& known, std::int64_t now) {
  if (!loaded_) return;
  known.written_at = now;
  cache::Changes changes;
  changes.seen.push_back(known.record);
  index_->commit(std::move(changes), {});  // One that is lost is made up for by the next.
}

void Seen::erase(const std::vector<Key>& keys) {
  for (const auto& key : keys) known_.erase(key);
  if (!loaded_) return;
  for (std::size_t begin = 0; begin < keys.size(); begin += changes_at_once) {
    const auto end = std::min(begin + changes_at_once, keys.size());
    cache::Changes changes;
    changes.seen_gone.assign(keys.begin() + static_cast<std::ptrdiff_t>(begin),
                             keys.begin() + static_cast<std::ptrdiff_t>(end));
    index_->commit(std::move(changes), {});
  }
}

void Seen::make_room() {
  if (known_.size() < seen_tags_max) return;
  std::vector<Table::const_iterator> oldest;
  for (auto it = known_.cbegin(); it != known_.cend(); ++it) oldest.push_back(it);
  const auto count = static_cast<std::ptrdiff_t>(seen_tags_max / evicted_part);
  std::nth_element(oldest.begin(), oldest.begin() + count, oldest.end(), [](auto a, auto b) {
    return last_pull(a->second.record) < last_pull(b->second.record);
  });
  std::vector<Key> keys;
  std::for_each(oldest.begin(), oldest.begin() + count,
                [&keys](auto one) { keys.push_back(one->first); });
  erase(keys);
}

void Seen::load() {
  const auto records = index_->all_seen(seen_tags_max);
  const std::lock_guard lock(mutex_);
  loaded_ = true;
  for (const auto& record : records) {
    const Key key(record.image, record.tag);
    const auto noted = known_.find(key);
    if (noted != known_.end()) {
      join(noted->second.record.pullers, record.pullers);
    } else if (known_.size() < seen_tags_max) {
      known_.emplace(key, Known{.record = record, .written_at = last_pull(record)});
    }
  }
  for (auto& [key, known] : known_) {
    if (known.written_at == 0) write(known, last_pull(known.record));
  }
}

void Seen::note(const ImageName& image, const Tag& tag, const Platform& platform,
                std::int64_t now) {
  const std::lock_guard lock(mutex_);
  const Key key(image, tag);
  auto found = known_.find(key);
  if (found == known_.end()) {
    make_room();
    found = known_.emplace(key, Known{.record = {.image = image, .tag = tag}}).first;
  }
  auto& known = found->second;
  // Whoever states ever new platforms does not make ever new writes.
  const bool was_full = known.record.pullers.size() == cache::seen_platforms_max;
  const bool is_new = put_first(known.record.pullers, platform, now);
  const bool is_old = now < known.written_at || now - known.written_at >= written_again_after_s;
  if (is_old || (is_new && !was_full)) write(known, now);
}

std::vector<Seen::Entry> Seen::pulled_since(std::int64_t time) const {
  const std::lock_guard lock(mutex_);
  std::vector<Entry> entries;
  for (const auto& [key, known] : known_) {
    Entry entry{.image = key.first, .tag = key.second, .platforms = {}};
    for (const auto& puller : known.record.pullers) {
      if (puller.last_pull >= time) entry.platforms.push_back(puller.platform);
    }
    if (!entry.platforms.empty()) entries.push_back(std::move(entry));
  }
  return entries;
}

void Seen::forget_before(std::int64_t time) {
  const std::lock_guard lock(mutex_);
  if (!loaded_) return;
  std::vector<Key> keys;
  for (auto& [key, known] : known_) {
    auto& pullers = known.record.pullers;
    const auto gone =
        std::erase_if(pullers, [time](const auto& puller) { return puller.last_pull < time; });
    if (pullers.empty()) {
      keys.push_back(key);
    } else if (gone > 0) {
      write(known, known.written_at);
    }
  }
  erase(keys);
}

}  // namespace archway::proxy
