#include "proxy/pull/keep_manifest.hpp"

#include "cache/hasher.hpp"

#include <utility>

namespace archway::proxy {

namespace net = boost::asio;

namespace {

bool lives_elsewhere(const Descriptor& layer) {
  return layer.media_type.find("foreign") != std::string::npos ||
         layer.media_type.find("nondistributable") != std::string::npos;
}

/// Records are shared by all names, so one upstream's word for a type must not become another's: a
/// document is kept only under a type that its own content bears out.
bool type_fits(const StoredManifest& stored) {
  if (stored.manifest->kind != ManifestKind::other) return stored.manifest->interpretable;
  for (const auto type : {media_type::oci_index, media_type::oci_manifest, media_type::docker_list,
                          media_type::docker_manifest}) {
    if (resolver::parse_manifest(*stored.bytes, type).interpretable) return false;
  }
  return true;
}

/// The platform that an entry of an index is for; "" for what is no image (attestations).
std::string platform_of(const Descriptor& entry) {
  const bool is_image = entry.reference_type.empty() && entry.platform;
  return is_image && entry.platform->os != "unknown" ? entry.platform->str() : std::string();
}

/// The image name holds the manifest and everything that it names.
cache::Changes changes_for(const PullShared& shared, const ImageName& image,
                           const StoredManifest& stored, cache::Proof proof) {
  cache::Changes changes;
  if (type_fits(stored)) {
    changes.manifests.emplace_back(
        stored.digest,
        cache::ManifestRecord{.media_type = stored.media_type, .bytes = *stored.bytes});
  }
  const auto own = granted_platform(shared, image, stored.digest);
  changes.grants.emplace_back(image, stored.digest, own, proof);
  for (const auto& child : stored.manifest->manifests) {
    changes.grants.emplace_back(image, child.digest, platform_of(child));
  }
  // Layers that live elsewhere are never looked at by a registry that takes a manifest: anyone
  // could name any digest there. A name gets those only when its upstream says that it has them.
  for (const auto& layer : stored.manifest->layers) {
    if (!lives_elsewhere(layer)) changes.grants.emplace_back(image, layer.digest, own);
  }
  if (const auto& config = stored.manifest->config) {
    changes.grants.emplace_back(image, config->digest, own);
  }
  return changes;
}

/// What two readers could read differently is passed on untouched and decides nothing; whoever runs
/// the gateway should know, because its clients choose for themselves then.
void tell_not_read(const PullShared& shared, const ImageName& image, const StoredManifest& stored) {
  const auto& manifest = *stored.manifest;
  if (manifest.kind == ManifestKind::other || manifest.interpretable) return;
  shared.metrics->upstream_error(image.upstream, "manifest_not_read");
  shared.log->write_seldom(
      "not read " + image.str(), metrics::Level::warn,
      "a manifest is passed on as it is: it could be read in two ways",
      {{"image", image.str()}, {"digest", stored.digest.str()}, {"why", manifest.why}});
}

}  // namespace

StoredManifest stored_manifest(const Digest& digest, std::string media_type, std::string bytes) {
  StoredManifest stored{.digest = digest, .media_type = std::move(media_type)};
  stored.manifest = std::make_shared<const resolver::Manifest>(
      resolver::parse_manifest(bytes, stored.media_type));
  stored.bytes = bytes_body(std::move(bytes));
  return stored;
}

net::awaitable<StoredManifest> keep(PullParts* parts, ImageName image, StoredManifest stored,
                                    cache::Proof proof) {
  stored.outcome = metrics::Outcome::miss;
  tell_not_read(*parts->shared, image, stored);
  cache::Changes changes = changes_for(*parts->shared, image, stored, proof);
  const auto kept = co_await commit(parts, std::move(changes));
  if (!kept) {  // Law 7: what cannot be kept is still served.
    parts->shared->log->write_seldom("manifest", metrics::Level::warn,
                                     "a manifest could not be kept",
                                     {{"why", kept.error().context}});
  }
  co_return stored;
}

net::awaitable<Result<StoredManifest>> keep_made(PullParts* parts, ImageName image,
                                                 std::string media_type, std::string bytes) {
  const auto digest = cache::digest_of(Digest::Algorithm::sha256, bytes);
  if (!digest) co_return digest.error();
  StoredManifest stored = stored_manifest(*digest, std::move(media_type), std::move(bytes));
  const bool is_there = granted(*parts->shared, image, *digest) &&
                        parts->shared->cache->index().find_manifest(*digest);
  if (is_there) co_return stored;
  co_return co_await keep(parts, std::move(image), std::move(stored), cache::Proof::given);
}

}  // namespace archway::proxy
