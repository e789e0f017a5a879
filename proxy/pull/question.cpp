#include "proxy/pull/question.hpp"

#include <algorithm>
#include <utility>

namespace archway::proxy {
namespace {

using Part = Explanation::Part;

/// Everything that the manifest names, once.
std::vector<Part> parts_of(const resolver::Manifest& manifest) {
  std::vector<Part> parts;
  const auto add = [&](const char* kind, const Descriptor& descriptor) {
    parts.push_back({.kind = kind, .digest = descriptor.digest.str(), .size = descriptor.size});
  };
  if (manifest.config) add("config", *manifest.config);
  for (const auto& layer : manifest.layers) add("layer", layer);
  return parts;
}

const Part* find(const std::vector<Part>& parts, const std::string& digest) {
  const auto found = std::find_if(parts.begin(), parts.end(),
                                  [&](const Part& part) { return part.digest == digest; });
  return found == parts.end() ? nullptr : &*found;
}

bool is_cached(cache::Cache& cache, const std::string& digest) {
  const auto parsed = Digest::parse(digest);
  return parsed && cache.open_blob(*parsed);
}

/// With what was noted before, because looking at a config may have brought it here.
std::vector<Part> looked_up(const Question& question, cache::Cache& cache,
                            const resolver::Manifest& manifest) {
  auto parts = parts_of(manifest);
  for (auto& part : parts) {
    const auto* noted = find(question.why->parts, part.digest);
    part.cached = noted != nullptr ? noted->cached : is_cached(cache, part.digest);
  }
  return parts;
}

}  // namespace

void note_parts(const Question& question, cache::Cache& cache, const resolver::Manifest& manifest) {
  if (question.why == nullptr) return;
  for (auto& part : looked_up(question, cache, manifest)) {
    if (!find(question.why->parts, part.digest)) question.why->parts.push_back(std::move(part));
  }
}

void note_only_parts_of(const Question& question, cache::Cache& cache,
                        const resolver::Manifest& manifest) {
  if (question.why == nullptr) return;
  question.why->parts = looked_up(question, cache, manifest);
}

}  // namespace archway::proxy
