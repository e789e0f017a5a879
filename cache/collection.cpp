#include "cache/collection.hpp"

#include "cache/commit.hpp"

#include <limits>
#include <optional>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

namespace archway::cache {
namespace {

constexpr std::size_t page = 256;

/// By whatever name somebody may ask for it.
std::vector<Digest> wanted(const Index& index) {
  std::vector<Digest> digests;
  each_tag(index, [&](const TagEntry& entry) { digests.push_back(entry.record.digest); });
  for (const auto& pin : index.all_pins(Pins::pins_max)) {
    if (const auto* const digest = std::get_if<Digest>(&pin.what)) digests.push_back(*digest);
  }
  std::optional<std::pair<ImageName, Digest>> after;
  for (std::size_t got = page; got == page;) {
    const auto grants = index.grants_after(after, page);
    got = grants.size();
    for (const auto& grant : grants) digests.push_back(grant.digest);
    if (!grants.empty()) after.emplace(grants.back().image, grants.back().digest);
  }
  return digests;
}

}  // namespace

Result<std::uint64_t> remove_unused_manifests(Index& index, const Pins::RefersTo& refers_to) {
  if (!refers_to) return std::uint64_t{0};
  // Before the rest, so that what is brought meanwhile is not among them.
  std::vector<Digest> manifests;
  std::optional<Digest> after;
  for (std::size_t got = page; got == page;) {
    const auto entries = index.manifests_after(after, page);
    got = entries.size();
    for (const auto& entry : entries) manifests.push_back(entry.digest);
    if (!entries.empty()) after = entries.back().digest;
  }
  const auto used =
      all_of(index, refers_to, wanted(index), std::numeric_limits<std::size_t>::max());
  std::uint64_t removed = 0;
  Changes changes;
  const auto flush = [&]() -> Result<void> {
    removed += changes.manifests_gone.size();
    return commit_and_wait(index, std::exchange(changes, {}));
  };
  for (const auto& digest : manifests) {
    if (used.contains(digest)) continue;
    changes.manifests_gone.push_back(digest);
    if (changes.manifests_gone.size() < page) continue;
    if (auto flushed = flush(); !flushed) return flushed.error();
  }
  if (auto flushed = flush(); !flushed) return flushed.error();
  return removed;
}

}  // namespace archway::cache
