#pragma once

#include "cache/index.hpp"
#include "resolver/manifest.hpp"
#include "resolver/model/digest.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace archway::proxy {

/// What a digest leads to, as far as the cache has it: manifests within manifests, and the blobs
/// that they name whether they are here or not.
struct ImageGraph {
  std::set<Digest> manifests;  ///< here
  std::set<Digest> blobs;      ///< configs and layers; foreign ones, which no registry has, are not
  std::set<Digest> absent;     ///< named as manifests, and not here
};

/// Adds what `digest` leads to. Reads the index only.
void add_to_graph(const cache::Index& index, const Digest& digest, ImageGraph& graph);

/// The manifest behind a digest, read; none where it is not here.
std::optional<resolver::Manifest> read_manifest(const cache::Index& index, const Digest& digest);

/// Configs and layers of a manifest that can be in a cache.
std::vector<Descriptor> blobs_of(const resolver::Manifest& manifest);

/// What is here of an image that a digest names.
struct HeldParts {
  std::vector<std::string> platforms = {};  ///< those whose every part is here
  std::uint64_t bytes = 0;                  ///< of manifests and blobs
};

/// The config of a single image as a cache has it; none where it is not here. Blocks on the disk.
using ReadBlob = std::function<std::optional<std::string>(const Digest&)>;

/// Threads: any; blocks on the disk.
HeldParts held_parts(const cache::Index& index, const Digest& digest, const ReadBlob& read);

}  // namespace archway::proxy
