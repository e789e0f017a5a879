#include "proxy/command/pulled_image.hpp"

#include "proxy/command/manifest_copy.hpp"
#include "resolver/fitting.hpp"
#include "resolver/platform_order.hpp"
#include "resolver/verdict.hpp"

#include <algorithm>
#include <utility>

namespace archway::proxy {

namespace net = boost::asio;

namespace {

bool is_index(const resolver::Manifest& manifest) {
  return !manifest.manifests.empty();
}

Error unreadable(const GatewayImage& name, const Digest& digest, const std::string& why) {
  return {
      .code = Errc::manifest_invalid,
      .origin = Origin::upstream,
      .message = name.image.str() + ": the manifest " + digest.str() + " cannot be read: " + why};
}

void add_once(std::vector<std::string>& texts, const std::string& text) {
  if (std::find(texts.begin(), texts.end(), text) == texts.end()) texts.push_back(text);
}

void add_blobs(PulledImage& image, const resolver::Manifest& manifest) {
  for (auto& blob : blobs_to_copy(manifest)) {
    const auto same = [&](const Descriptor& other) { return other.digest == blob.digest; };
    if (std::any_of(image.blobs.begin(), image.blobs.end(), same)) continue;
    image.blobs.push_back(std::move(blob));
  }
}

/// What is wanted of an index.
struct Wanted {
  std::vector<Descriptor> entries = {};
  std::vector<std::string> not_there = {};
};

Wanted wanted_of(const resolver::Manifest& index, const std::vector<Platform>& platforms) {
  if (platforms.empty()) return {.entries = index.manifests};
  Wanted wanted;
  for (const auto& platform : platforms) {
    auto entry = entry_for(index, platform);
    if (!entry) {
      wanted.not_there.push_back(platform.str());
      continue;
    }
    const auto same = [&](const Descriptor& other) { return other.digest == entry->digest; };
    if (std::any_of(wanted.entries.begin(), wanted.entries.end(), same)) continue;
    wanted.entries.push_back(*std::move(entry));
  }
  return wanted;
}

/// What a walk through an image's manifests works on.
struct Walk {
  Registry* registry;
  std::vector<Platform> platforms;
  PulledImage* image;
};

net::awaitable<Result<void>> enter(const Walk* walk, const resolver::Manifest* manifest, int depth);

net::awaitable<Result<void>> add_entry(const Walk* walk, Descriptor entry, int depth) {
  auto& image = *walk->image;
  const auto same = [&](const FetchedManifest& other) { return other.digest == entry.digest; };
  if (std::any_of(image.below.begin(), image.below.end(), same)) co_return Result<void>{};
  auto fetched = co_await fetch_manifest(walk->registry, image.name.path, entry.digest);
  if (!fetched) {
    // Without a platform named everything is wanted that may be had.
    if (!walk->platforms.empty() || fetched.error().code != Errc::denied) {
      co_return fetched.error();
    }
    image.left_out.push_back((entry.platform ? entry.platform->str() : entry.digest.str()) + ": " +
                             fetched.error().message);
    co_return Result<void>{};
  }
  if (!fetched->manifest.interpretable) {
    co_return unreadable(image.name, entry.digest, fetched->manifest.why);
  }
  const bool counts = entry.platform && !is_attestation(entry) && !is_index(fetched->manifest);
  if (counts) add_once(image.platforms, entry.platform->str());
  const auto manifest = fetched->manifest;
  image.below.push_back(*std::move(fetched));
  co_return co_await enter(walk, &manifest, depth + 1);
}

net::awaitable<Result<void>> enter(const Walk* walk, const resolver::Manifest* manifest,
                                   int depth) {
  if (!is_index(*manifest)) {
    add_blobs(*walk->image, *manifest);
    co_return Result<void>{};
  }
  if (depth > resolver::index_depth_max) {
    co_return unreadable(walk->image->name, walk->image->top.digest, "indexes are nested too deep");
  }
  const auto wanted = wanted_of(*manifest, walk->platforms);
  for (const auto& platform : wanted.not_there) add_once(walk->image->not_there, platform);
  for (const auto& entry : wanted.entries) {
    const auto added = co_await add_entry(walk, entry, depth);
    if (!added) co_return added.error();
  }
  co_return Result<void>{};
}

Error none_there(const PulledImage& image) {
  std::string offered;
  for (const auto& entry : image.top.manifest.manifests) {
    if (!entry.platform || is_attestation(entry)) continue;
    offered += (offered.empty() ? "" : ", ") + entry.platform->str();
  }
  std::string asked;
  for (const auto& platform : image.not_there) asked += (asked.empty() ? "" : ", ") + platform;
  return {.code = Errc::manifest_unknown,
          .origin = Origin::client,
          .message = image.name.image.str() + " has nothing for " + asked +
                     (offered.empty() ? "" : "; there are " + offered)};
}

}  // namespace

std::optional<Descriptor> entry_for(const resolver::Manifest& index, const Platform& platform) {
  auto rungs = resolver::ladder(platform);
  if (rungs.empty()) rungs = {platform};
  std::vector<const Platform*> offered;
  for (const auto& entry : index.manifests) {
    const bool choosable = resolver::is_choosable(entry) && entry.platform;
    offered.push_back(choosable ? &*entry.platform : nullptr);
  }
  const auto order = resolver::best_first(rungs, offered);
  if (order.empty()) return std::nullopt;
  return index.manifests[order.front()];
}

net::awaitable<Result<PulledImage>> fetch_image(Registry* registry, GatewayImage name,
                                                std::vector<Platform> platforms) {
  auto top = co_await fetch_manifest(registry, name.path, name.image.reference);
  if (!top) {
    auto error = top.error();
    const auto full = name.image.str();
    if (error.message.find(full) == std::string::npos) error.message = full + ": " + error.message;
    co_return error;
  }
  if (!top->manifest.interpretable) co_return unreadable(name, top->digest, top->manifest.why);
  PulledImage image{.name = std::move(name), .top = *std::move(top)};
  const Walk walk{.registry = registry, .platforms = std::move(platforms), .image = &image};
  const auto manifest = image.top.manifest;
  const auto entered = co_await enter(&walk, &manifest, 0);
  if (!entered) {
    auto error = entered.error();
    const auto full = image.name.image.str();
    if (error.message.find(full) == std::string::npos) error.message = full + ": " + error.message;
    co_return error;
  }
  if (is_index(manifest) && image.below.empty() && !image.not_there.empty()) {
    co_return none_there(image);
  }
  co_return image;
}

}  // namespace archway::proxy
