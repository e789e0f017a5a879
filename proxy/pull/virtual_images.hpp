#pragma once

#include "cache/index.hpp"
#include "proxy/config/settings.hpp"
#include "resolver/model/virtual_image.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <shared_mutex>
#include <string>
#include <utility>
#include <vector>

namespace archway::proxy {

inline constexpr std::size_t virtual_images_max = 10'000;  ///< read from the index at start

/// The virtual images there are: those of the configuration, and those that were created while it
/// ran, which the index keeps. One of the configuration cannot be changed or removed here; one that
/// needs an upstream which is not configured (any more) is not served.
///
/// Threads: any.
class VirtualImages {
 public:
  VirtualImages(const Settings& settings, const cache::Index& index);

  /// The one for this name and tag; one for that very tag goes before one for every tag.
  std::optional<VirtualImage> find(const ImageName& name, const Tag& tag) const;
  /// The names under which the objects of `name` are published: the members of all its virtual
  /// images, each once, and the name itself when not every tag of it is virtual; empty when it is
  /// no virtual image's name.
  std::vector<ImageName> members_of(const ImageName& name) const;
  std::vector<VirtualImage> all() const;
  bool is_configured(const ImageName& name, const std::optional<Tag>& tag) const;

  /// How often one was made or removed since the start.
  std::uint64_t changes() const { return changes_; }

  /// After the index has kept it.
  void set(VirtualImage image);
  void erase(const ImageName& name, const std::optional<Tag>& tag);

 private:
  using Key = std::pair<ImageName, std::optional<Tag>>;

  bool has_upstreams(const VirtualImage& image) const;

  const std::set<std::string> upstreams_;
  std::atomic<std::uint64_t> changes_ = 0;
  mutable std::shared_mutex mutex_;
  std::map<Key, VirtualImage> images_;
  std::set<Key> configured_;
};

}  // namespace archway::proxy
