#include "proxy/pull/virtual_images.hpp"

#include <algorithm>
#include <mutex>

namespace archway::proxy {
namespace {

std::set<std::string> names_of(const Settings& settings) {
  std::set<std::string> names;
  for (const auto& upstream : settings.upstreams) names.insert(upstream.name);
  return names;
}

void add_once(std::vector<ImageName>& names, const ImageName& name) {
  if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
}

}  // namespace

VirtualImages::VirtualImages(const Settings& settings, const cache::Index& index)
    : upstreams_(names_of(settings)) {
  for (const auto& image : settings.images) {
    const Key key(image.name, image.tag);
    images_.insert_or_assign(key, image);
    configured_.insert(key);
  }
  for (auto& image : index.all_images(virtual_images_max)) set(std::move(image));
}

std::optional<VirtualImage> VirtualImages::find(const ImageName& name, const Tag& tag) const {
  const std::shared_lock lock(mutex_);
  if (images_.empty()) return std::nullopt;
  auto found = images_.find(Key(name, tag));
  if (found == images_.end()) found = images_.find(Key(name, std::nullopt));
  return found == images_.end() ? std::nullopt : std::optional<VirtualImage>(found->second);
}

std::vector<ImageName> VirtualImages::members_of(const ImageName& name) const {
  const std::shared_lock lock(mutex_);
  std::vector<ImageName> names;
  if (images_.empty()) return names;
  // No tag sorts before every tag.
  const auto first = images_.lower_bound(Key(name, std::nullopt));
  auto one = first;
  for (; one != images_.end() && one->first.first == name; ++one) {
    for (const auto& member : one->second.members) add_once(names, member.image);
  }
  const bool is_virtual = one != first;
  if (is_virtual && first->first.second) add_once(names, name);
  return names;
}

std::vector<VirtualImage> VirtualImages::all() const {
  const std::shared_lock lock(mutex_);
  std::vector<VirtualImage> images;
  for (const auto& [key, image] : images_) images.push_back(image);
  return images;
}

bool VirtualImages::is_configured(const ImageName& name, const std::optional<Tag>& tag) const {
  const std::shared_lock lock(mutex_);
  return configured_.contains(Key(name, tag));
}

void VirtualImages::set(VirtualImage image) {
  if (!has_upstreams(image)) return;
  const std::unique_lock lock(mutex_);
  const Key key(image.name, image.tag);
  if (configured_.contains(key)) return;
  images_.insert_or_assign(key, std::move(image));
  ++changes_;
}

void VirtualImages::erase(const ImageName& name, const std::optional<Tag>& tag) {
  const std::unique_lock lock(mutex_);
  const Key key(name, tag);
  if (configured_.contains(key)) return;
  images_.erase(key);
  ++changes_;
}

bool VirtualImages::has_upstreams(const VirtualImage& image) const {
  return upstreams_.contains(image.name.upstream) &&
         std::all_of(image.members.begin(), image.members.end(), [&](const auto& member) {
           return upstreams_.contains(member.image.upstream);
         });
}

}  // namespace archway::proxy
