#include "resolver/offer.hpp"

#include "resolver/fitting.hpp"

#include <algorithm>
#include <cstddef>

namespace archway::resolver {
namespace {

constexpr std::size_t listed_max = 30;

class Offer {
 public:
  explicit Offer(const NestedIndexes& nested) : nested_(nested) {}

  void add(const Manifest& index, int depth = 0) {
    for (const auto& entry : index.manifests) {
      if (!is_choosable(entry)) continue;
      const bool image = kind_of(entry.media_type) == ManifestKind::manifest;
      if (image && entry.platform) add(*entry.platform);
      if (image && entry.platform) continue;
      const auto* fetched = left_-- > 0 ? nested_(entry.digest) : nullptr;
      if (fetched == nullptr) continue;
      if (image && fetched->runs_on) add(*fetched->runs_on);
      if (!image && depth < index_depth_max) add(*fetched, depth + 1);
    }
  }
  const std::vector<Platform>& platforms() const { return platforms_; }

 private:
  void add(const Platform& platform) {
    if (std::find(platforms_.begin(), platforms_.end(), platform) == platforms_.end()) {
      platforms_.push_back(platform);
    }
  }

  const NestedIndexes& nested_;
  std::vector<Platform> platforms_;
  int left_ = 64;  // look-ups, however the indexes point at each other
};

}  // namespace

std::string offer(const Manifest& index, const NestedIndexes& nested) {
  Offer found(nested);
  found.add(index);
  return found.platforms().empty() ? "nothing for any platform" : listed(found.platforms());
}

std::string listed(const std::vector<Platform>& platforms) {
  std::string text;
  const auto count = std::min(platforms.size(), listed_max);
  for (std::size_t i = 0; i < count; ++i) text += (i == 0 ? "" : ", ") + platforms[i].str();
  const auto more = platforms.size() - count;
  return more == 0 ? text : text + " and " + std::to_string(more) + " more";
}

}  // namespace archway::resolver
