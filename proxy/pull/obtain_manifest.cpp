#include "proxy/pull/obtain_manifest.hpp"

#include "cache/hasher.hpp"

#include <chrono>
#include <utility>

namespace archway::proxy {

namespace net = boost::asio;

namespace {

constexpr std::chrono::minutes patience{2};

/// The image name holds the manifest and everything that it names.
cache::Changes changes_for(const ImageName& image, const StoredManifest& stored) {
  cache::Changes changes;
  changes.manifests.emplace_back(
      stored.digest,
      cache::ManifestRecord{.media_type = stored.media_type, .bytes = *stored.bytes});
  changes.grants.emplace_back(image, stored.digest);
  for (const auto& child : stored.manifest->manifests)
    changes.grants.emplace_back(image, child.digest);
  for (const auto& layer : stored.manifest->layers)
    changes.grants.emplace_back(image, layer.digest);
  if (stored.manifest->config) changes.grants.emplace_back(image, stored.manifest->config->digest);
  return changes;
}

StoredManifest stored_manifest(const Digest& digest, std::string media_type, std::string bytes) {
  StoredManifest stored{.digest = digest, .media_type = std::move(media_type)};
  stored.manifest = std::make_shared<const resolver::Manifest>(
      resolver::parse_manifest(bytes, stored.media_type));
  stored.bytes = bytes_body(std::move(bytes));
  return stored;
}

net::awaitable<Result<StoredManifest>> keep(PullParts* parts, ImageName image,
                                            StoredManifest stored) {
  stored.outcome = metrics::Outcome::miss;
  cache::Changes changes = changes_for(image, stored);
  const auto kept = co_await commit(parts, std::move(changes));
  if (!kept) {  // Law 7: what cannot be kept is still served.
    parts->shared->log->write_seldom("manifest", metrics::Level::warn,
                                     "a manifest could not be kept",
                                     {{"why", kept.error().context}});
  }
  co_return stored;
}

Error mismatch(const ImageName& image, const Digest& asked, const Digest& got) {
  return {.code = Errc::upstream_failed,
          .origin = Origin::upstream,
          .message = image.upstream + " sent bytes that do not match " + asked.str() +
                     "; nothing of them was kept",
          .context = "manifest of " + image.str() + " hashes to " + got.str()};
}

net::awaitable<Result<StoredManifest>> fetch(PullParts* parts, ImageName image, Digest digest) {
  const Reference reference = digest;
  auto document = co_await parts->registry(image)->get_manifest(image.repository, reference);
  if (!document) co_return document.error();
  const auto got = cache::digest_of(digest.algorithm(), document->bytes);
  if (!got) co_return got.error();
  if (*got != digest) {
    parts->shared->metrics->digest_mismatch(image.upstream);
    const auto error = mismatch(image, digest, *got);
    parts->shared->log->error("digest mismatch",
                              {{"upstream", image.upstream}, {"what", error.context}});
    co_return error;
  }
  StoredManifest stored =
      stored_manifest(digest, std::move(document->media_type), std::move(document->bytes));
  co_return co_await keep(parts, std::move(image), std::move(stored));
}

/// The bytes are here, but under another image name: the upstream has to say that this one has
/// them.
net::awaitable<Result<StoredManifest>> confirm(PullParts* parts, ImageName image, Digest digest,
                                               cache::ManifestRecord record) {
  const Reference reference = digest;
  const auto head = co_await parts->registry(image)->head_manifest(image.repository, reference);
  if (!head) co_return head.error();
  StoredManifest stored =
      stored_manifest(digest, std::move(record.media_type), std::move(record.bytes));
  co_return co_await keep(parts, std::move(image), std::move(stored));
}

}  // namespace

net::awaitable<Result<StoredManifest>> obtain_manifest(PullParts* parts, ImageName image,
                                                       Digest digest) {
  const auto& index = parts->shared->cache->index();
  auto record = index.find_manifest(digest);
  if (record && index.granted(image, digest)) {
    co_return stored_manifest(digest, std::move(record->media_type), std::move(record->bytes));
  }
  const std::string key = image.str() + "@" + digest.str();
  SingleFlight<StoredManifest>::Work work = [parts, image, digest] {
    return fetch(parts, image, digest);
  };
  if (record) {
    work = [parts, image, digest, held = *std::move(record)] {
      return confirm(parts, image, digest, held);
    };
  }
  co_return co_await parts->shared->manifests.run(key, work, patience);
}

net::awaitable<Result<StoredManifest>> fetch_manifest_by_tag(PullParts* parts, ImageName image,
                                                             Tag tag) {
  const Reference reference = tag;
  auto document = co_await parts->registry(image)->get_manifest(image.repository, reference);
  if (!document) co_return document.error();
  const auto digest = cache::digest_of(Digest::Algorithm::sha256, document->bytes);
  if (!digest) co_return digest.error();
  StoredManifest stored =
      stored_manifest(*digest, std::move(document->media_type), std::move(document->bytes));
  co_return co_await keep(parts, std::move(image), std::move(stored));
}

}  // namespace archway::proxy
