#include "proxy/cache_options.hpp"

#include "proxy/config/defaults.hpp"
#include "resolver/glob.hpp"
#include "resolver/manifest.hpp"
#include "resolver/verdict.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace archway::proxy {
namespace {

/// Nothing is excluded when everything is allowed, and what nobody can read is not, either.
std::function<bool(const std::string&)> excluded_by(const resolver::VerdictPolicy& policy) {
  if (policy.allow.empty()) return {};
  return [policy](const std::string& text) {
    const auto platform = Platform::parse(text);
    return platform && !resolver::is_allowed(policy, *platform);
  };
}

cache::Pins::IsPinned pinned_by(std::vector<std::string> patterns) {
  if (patterns.empty()) return {};
  return [patterns = std::move(patterns)](const ImageName& image, const Tag& tag) {
    const auto name = image.str() + ":" + tag.str();
    return std::any_of(patterns.begin(), patterns.end(), [&name](const std::string& pattern) {
      return resolver::glob_matches(pattern, name);
    });
  };
}

std::vector<Digest> refers_to(const cache::ManifestRecord& record) {
  const auto manifest = resolver::parse_manifest(record.bytes, record.media_type);
  std::vector<Digest> digests;
  for (const auto& child : manifest.manifests) digests.push_back(child.digest);
  if (manifest.config) digests.push_back(manifest.config->digest);
  for (const auto& layer : manifest.layers) digests.push_back(layer.digest);
  return digests;
}

}  // namespace

cache::Options cache_options(const Settings& settings) {
  const auto& cache = settings.cache;
  return {.directory = cache.directory,
          .sync = cache.strict,
          .scrub = cache.scrub,
          .limits = {.max_size = cache.max_size, .keep_free = cache.keep_free},
          .excluded = excluded_by(settings.policy),
          .is_pinned = pinned_by(cache.pin),
          .refers_to = refers_to,
          .keep_free_is_default = cache.keep_free == keep_free_default};
}

}  // namespace archway::proxy
