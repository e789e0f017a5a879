#include "proxy/pull/obtain_manifest.hpp"

#include "cache/hasher.hpp"
#include "proxy/config/access.hpp"
#include "proxy/pull/keep_manifest.hpp"

#include <chrono>
#include <utility>

namespace archway::proxy {

namespace net = boost::asio;

namespace {

constexpr std::chrono::minutes patience{2};

using Record = std::shared_ptr<const cache::ManifestRecord>;

Error mismatch(const ImageName& image, const Digest& asked, const Digest& got) {
  return {.code = Errc::upstream_failed,
          .origin = Origin::upstream,
          .message = image.upstream + " sent bytes that do not match " + asked.str() +
                     "; nothing of them was kept",
          .context = "manifest of " + image.str() + " hashes to " + got.str()};
}

Error not_a_manifest(const ImageName& image, const std::string& type) {
  return {.code = Errc::upstream_failed,
          .origin = Origin::upstream,
          .message = image.upstream +
                     " answered with something that is no manifest; perhaps a "
                     "login page stands before it",
          .context = "manifest of " + image.str() + " came as \"" + type + "\""};
}

net::awaitable<Result<StoredManifest>> fetch(PullParts* parts, ImageName image, Digest digest) {
  const Reference reference = digest;
  auto document = co_await parts->registry(image)->get_manifest(image.repository, reference);
  if (!document) co_return document.error();
  const auto got = cache::digest_of(digest.algorithm(), document->bytes);
  if (!got) co_return got.error();
  if (*got != digest) {
    parts->shared->metrics->digest_mismatch(image.upstream);
    remember_lie(*parts->shared, image, digest);
    parts->registry(image)->disbelieve(digest);
    const auto error = mismatch(image, digest, *got);
    parts->shared->log->error("digest mismatch",
                              {{"upstream", image.upstream}, {"what", error.context}});
    co_return error;
  }
  StoredManifest stored =
      stored_manifest(digest, std::move(document->media_type), std::move(document->bytes));
  co_return co_await keep(parts, std::move(image), std::move(stored), cache::Proof::given);
}

/// The bytes are here, but under another image name: the upstream has to say that this one has
/// them.
net::awaitable<Result<StoredManifest>> confirm(PullParts* parts, ImageName image, Digest digest,
                                               Record record) {
  const Reference reference = digest;
  const auto head = co_await parts->registry(image)->head_manifest(image.repository, reference);
  if (!head) co_return head.error();
  // A login page answers 200, too.
  const bool same = head->digest ? *head->digest == digest : head->media_type == record->media_type;
  if (!same) {
    co_return Error{
        .code = Errc::manifest_unknown,
        .origin = Origin::upstream,
        .message = image.upstream + " answers for " + digest.str() + " with something else",
        .context = "HEAD gave another digest or type"};
  }
  StoredManifest stored = stored_manifest(digest, record->media_type, record->bytes);
  co_return co_await keep(parts, std::move(image), std::move(stored), cache::Proof::named);
}

}  // namespace

net::awaitable<Result<StoredManifest>> obtain_manifest(PullParts* parts, ImageName image,
                                                       Digest digest) {
  const auto& index = parts->shared->cache->index();
  auto record = index.find_manifest(digest);
  if (record && granted(*parts->shared, image, digest)) {
    co_return stored_manifest(digest, std::move(record->media_type), std::move(record->bytes));
  }
  auto bad = parts->shared->bad_blobs.find(image, digest);
  if (bad && !record) co_return *std::move(bad);
  const std::string key = image.str() + "@" + digest.str();
  auto& absent = parts->shared->absent;
  if (auto said = absent.find(key, std::chrono::steady_clock::now())) co_return *std::move(said);
  // Goes on when the client that it goes by has left.
  SingleFlight<StoredManifest>::Work work = [parts, image, digest,
                                             loan = parts->upstreams->loan_of(image)] {
    return fetch(parts, image, digest);
  };
  // Where not everybody may have everything, a name has to bring what it says it has: to know that
  // it exists is not to have it.
  if (record && !may_ask_clients(*parts->shared->settings)) {
    const auto held = std::make_shared<const cache::ManifestRecord>(*std::move(record));
    work = [parts, image, digest, held] { return confirm(parts, image, digest, held); };
  }
  auto obtained = co_await parts->shared->manifests.run(key, work, patience);
  for (int lenders = 1; lenders < lenders_max && !obtained; ++lenders) {
    if (!another_lends(*parts, image, obtained.error())) break;
    obtained = co_await parts->shared->manifests.run(key, work, patience);
  }
  if (!obtained && !is_borrowed(*parts->shared->settings, image)) {
    absent.remember(key, obtained.error(), std::chrono::steady_clock::now());
  }
  co_return obtained;
}

net::awaitable<Result<StoredManifest>> fetch_manifest_by_tag(PullParts* parts, ImageName image,
                                                             Tag tag) {
  const Reference reference = tag;
  auto document = co_await parts->registry(image)->get_manifest(image.repository, reference);
  if (!document) co_return document.error();
  // Nothing but its own shape vouches for this one: a login page is no image.
  const bool json = document->bytes.starts_with('{') && !document->media_type.starts_with("text/");
  if (!json) co_return not_a_manifest(image, document->media_type);
  const auto digest = cache::digest_of(Digest::Algorithm::sha256, document->bytes);
  if (!digest) co_return digest.error();
  const bool said = document->digest && document->digest->algorithm() == digest->algorithm();
  if (said && *document->digest != *digest) co_return mismatch(image, *document->digest, *digest);
  StoredManifest stored =
      stored_manifest(*digest, std::move(document->media_type), std::move(document->bytes));
  co_return co_await keep(parts, std::move(image), std::move(stored), cache::Proof::given);
}

}  // namespace archway::proxy
