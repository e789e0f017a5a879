#include "proxy/admin/removal.hpp"

#include "proxy/admin/holdings.hpp"
#include "proxy/admin/image_graph.hpp"
#include "proxy/pull/attached.hpp"

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace archway::proxy {
namespace {

constexpr std::size_t page = 1000;

std::set<Digest> all_of(const ImageGraph& graph) {
  std::set<Digest> all = graph.manifests;
  all.insert(graph.blobs.begin(), graph.blobs.end());
  all.insert(graph.absent.begin(), graph.absent.end());
  return all;
}

template <class Look>
void for_each_grant(const cache::Index& index, const Look& look) {
  std::optional<std::pair<ImageName, Digest>> after;
  for (;;) {
    const auto entries = index.grants_after(after, page);
    for (const auto& entry : entries) look(entry);
    if (entries.size() < page) return;
    after.emplace(entries.back().image, entries.back().digest);
  }
}

/// What the name's pins lead to.
void add_pinned(const cache::Index& index, const ImageName& image, ImageGraph& graph) {
  for (const auto& pin : index.all_pins(pins_max)) {
    if (pin.image != image) continue;
    if (const auto* digest = std::get_if<Digest>(&pin.what)) add_to_graph(index, *digest, graph);
  }
}

/// Which of the name's tags go, and what is reached by those that do and by those that stay.
struct Split {
  std::vector<Tag> going = {};
  ImageGraph gone = {};
  ImageGraph kept = {};
};

/// The tags that stand for what is attached to the manifests of the named tags, and of no others.
template <class IsNamed>
std::set<std::string> attached_to(const std::vector<cache::TagEntry>& tags,
                                  const IsNamed& is_named) {
  std::set<Digest> gone;
  for (const auto& entry : tags) {
    if (is_named(entry)) gone.insert(entry.record.digest);
  }
  for (const auto& entry : tags) {
    if (!is_named(entry)) gone.erase(entry.record.digest);
  }
  std::set<std::string> names;
  for (const auto& digest : gone) {
    for (const auto& tag : attached_tags(digest)) names.insert(tag.str());
  }
  return names;
}

Split split(const cache::Index& index, const NamedImage& image) {
  Split result;
  const auto* tag = image.reference ? std::get_if<Tag>(&*image.reference) : nullptr;
  const auto* digest = image.reference ? std::get_if<Digest>(&*image.reference) : nullptr;
  if (digest != nullptr) add_to_graph(index, *digest, result.gone);
  const auto is_named = [&](const cache::TagEntry& entry) {
    return !image.reference || (tag != nullptr && entry.tag == *tag) ||
           (digest != nullptr && entry.record.digest == *digest);
  };
  const auto tags = tags_of(index, image.image);
  const auto attached = attached_to(tags, is_named);
  for (const auto& entry : tags) {
    const bool goes = is_named(entry) || attached.contains(entry.tag.str());
    if (goes) result.going.push_back(entry.tag);
    add_to_graph(index, entry.record.digest, goes ? result.gone : result.kept);
  }
  add_pinned(index, image.image, result.kept);
  return result;
}

}  // namespace

Removal plan_removal(const cache::Index& index, const NamedImage& image) {
  auto parts = split(index, image);
  Removal removal{.tags = std::move(parts.going)};
  const auto reached = all_of(parts.gone);
  const auto kept = all_of(parts.kept);
  std::set<Digest> elsewhere;
  for_each_grant(index, [&](const cache::GrantEntry& entry) {
    if (entry.image != image.image) {
      elsewhere.insert(entry.digest);
    } else if (!kept.contains(entry.digest) &&
               (!image.reference || reached.contains(entry.digest))) {
      removal.grants.insert(entry.digest);
    }
  });
  auto candidates = removal.grants;
  // A digest that a tag of the name led to has a grant but where a crash came between the two.
  for (const auto& digest : reached) {
    if (!kept.contains(digest)) candidates.insert(digest);
  }
  for (const auto& digest : candidates) {
    if (elsewhere.contains(digest)) continue;
    if (index.find_manifest(digest)) removal.manifests.push_back(digest);
    if (index.find_blob(digest)) removal.blobs.push_back(digest);
  }
  // Nobody asked for what is not there.
  if (removal.tags.empty() && removal.grants.empty()) return {};
  return removal;
}

cache::Changes changes_for(const ImageName& image, Removal removal) {
  cache::Changes changes;
  for (auto& tag : removal.tags) {
    changes.seen_gone.emplace_back(image, tag);
    changes.tags_gone.emplace_back(image, std::move(tag));
  }
  for (const auto& digest : removal.grants) changes.grants_gone.emplace_back(image, digest);
  changes.manifests_gone = std::move(removal.manifests);
  return changes;
}

}  // namespace archway::proxy
