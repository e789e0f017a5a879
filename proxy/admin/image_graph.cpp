#include "proxy/admin/image_graph.hpp"

#include "resolver/fitting.hpp"
#include "resolver/verdict.hpp"

#include <algorithm>
#include <utility>

namespace archway::proxy {
namespace {

bool is_foreign(std::string_view type) {
  return type.starts_with("application/vnd.oci.image.layer.nondistributable.") ||
         type.starts_with("application/vnd.docker.image.rootfs.foreign.");
}

void add(const cache::Index& index, const Digest& digest, ImageGraph& graph, int depth) {
  if (graph.manifests.contains(digest) || depth > resolver::index_depth_max) return;
  const auto manifest = read_manifest(index, digest);
  if (!manifest) {
    graph.absent.insert(digest);
    return;
  }
  graph.manifests.insert(digest);
  for (const auto& blob : blobs_of(*manifest)) graph.blobs.insert(blob.digest);
  for (const auto& entry : manifest->manifests) add(index, entry.digest, graph, depth + 1);
}

bool has_all_blobs(const cache::Index& index, const resolver::Manifest& manifest) {
  const auto blobs = blobs_of(manifest);
  return std::all_of(blobs.begin(), blobs.end(), [&](const Descriptor& blob) {
    return index.find_blob(blob.digest).has_value();
  });
}

void add_whole_platforms(const cache::Index& index, const resolver::Manifest& of,
                         HeldParts& parts) {
  for (const auto& entry : of.manifests) {
    if (!entry.platform || !resolver::is_choosable(entry)) continue;
    const auto manifest = read_manifest(index, entry.digest);
    if (!manifest || !manifest->manifests.empty() || !has_all_blobs(index, *manifest)) continue;
    const auto name = entry.platform->str();
    const bool known =
        std::find(parts.platforms.begin(), parts.platforms.end(), name) != parts.platforms.end();
    if (!known) parts.platforms.push_back(name);
  }
}

}  // namespace

std::optional<resolver::Manifest> read_manifest(const cache::Index& index, const Digest& digest) {
  const auto record = index.find_manifest(digest);
  if (!record) return std::nullopt;
  return resolver::parse_manifest(record->bytes, record->media_type);
}

std::vector<Descriptor> blobs_of(const resolver::Manifest& manifest) {
  std::vector<Descriptor> blobs;
  if (manifest.config) blobs.push_back(*manifest.config);
  for (const auto& layer : manifest.layers) {
    if (!is_foreign(layer.media_type)) blobs.push_back(layer);
  }
  return blobs;
}

void add_to_graph(const cache::Index& index, const Digest& digest, ImageGraph& graph) {
  add(index, digest, graph, 0);
}

HeldParts held_parts(const cache::Index& index, const Digest& digest, const ReadBlob& read) {
  HeldParts parts;
  ImageGraph graph;
  add_to_graph(index, digest, graph);
  for (const auto& each : graph.manifests) {
    if (const auto record = index.find_manifest(each)) parts.bytes += record->bytes.size();
  }
  for (const auto& each : graph.blobs) {
    if (const auto record = index.find_blob(each)) parts.bytes += record->size;
  }
  const auto manifest = read_manifest(index, digest);
  if (!manifest) return parts;
  add_whole_platforms(index, *manifest, parts);
  if (!manifest->config || !has_all_blobs(index, *manifest)) return parts;
  const auto config = read(manifest->config->digest);
  const auto platform = config ? resolver::parse_config_platform(*config) : std::nullopt;
  if (platform) parts.platforms.push_back(platform->normalised().str());
  return parts;
}

}  // namespace archway::proxy
