#include "cache/pins.hpp"

#include <utility>
#include <variant>

namespace archway::cache {
namespace {

constexpr std::size_t page = 256;

}  // namespace

void each_tag(const Index& index, const std::function<void(const TagEntry&)>& visit) {
  std::optional<std::pair<ImageName, Tag>> after;
  for (std::size_t got = page; got == page;) {
    const auto entries = index.tags_after(after, page);
    got = entries.size();
    for (const auto& entry : entries) visit(entry);
    if (!entries.empty()) after.emplace(entries.back().image, entries.back().tag);
  }
}

std::unordered_set<Digest> all_of(const Index& index, const Pins::RefersTo& refers_to,
                                  std::vector<Digest> begin, std::size_t max) {
  std::unordered_set<Digest> all;
  while (!begin.empty() && all.size() < max) {
    const auto digest = begin.back();
    begin.pop_back();
    if (!all.insert(digest).second || !refers_to) continue;
    const auto manifest = index.find_manifest(digest);
    if (!manifest) continue;
    for (const auto& next : refers_to(*manifest)) begin.push_back(next);
  }
  return all;
}

std::vector<Digest> Pins::pinned() const {
  std::vector<Digest> digests;
  for (const auto& pin : index_->all_pins(pins_max)) {
    if (const auto* const digest = std::get_if<Digest>(&pin.what)) {
      digests.push_back(*digest);
    } else if (const auto tag = index_->find_tag(pin.image, std::get<Tag>(pin.what))) {
      digests.push_back(tag->digest);
    }
  }
  if (!is_pinned_) return digests;
  each_tag(*index_, [&](const TagEntry& entry) {
    if (is_pinned_(entry.image, entry.tag)) digests.push_back(entry.record.digest);
  });
  return digests;
}

bool Pins::refresh() {
  const std::lock_guard turn(refreshing_);
  const auto commits = index_->commits();
  if (as_of_ == commits) return false;
  auto all = all_of(*index_, refers_to_, pinned(), protected_max);
  as_of_ = commits;
  const std::lock_guard lock(mutex_);
  if (all == protected_) return false;
  protected_ = std::move(all);
  return true;
}

bool Pins::protects(const Digest& digest) const {
  const std::lock_guard lock(mutex_);
  return protected_.contains(digest);
}

}  // namespace archway::cache
