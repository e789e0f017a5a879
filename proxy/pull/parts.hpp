#pragma once

#include "cache/cache.hpp"
#include "metrics/log.hpp"
#include "metrics/metrics.hpp"
#include "proxy/access/attempts.hpp"
#include "proxy/access/permits.hpp"
#include "proxy/config/settings.hpp"
#include "proxy/disk_pool.hpp"
#include "proxy/http/message.hpp"
#include "proxy/http/page_reader.hpp"
#include "proxy/pull/absent.hpp"
#include "proxy/pull/bad_blobs.hpp"
#include "proxy/pull/recent_grants.hpp"
#include "proxy/pull/single_platforms.hpp"
#include "proxy/pull/virtual_images.hpp"
#include "proxy/single_flight.hpp"
#include "proxy/upstream/upstreams.hpp"
#include "resolver/manifest.hpp"
#include "resolver/model/name.hpp"
#include "resolver/rewrite.hpp"
#include "resolver/upstream_of.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace archway::proxy {

class Prefetch;

/// Verified manifest bytes and what they say. Copies are cheap: everything big is shared.
struct StoredManifest {
  Digest digest;
  std::string media_type;
  BytesBody bytes;
  std::shared_ptr<const resolver::Manifest> manifest;
  metrics::Outcome outcome = metrics::Outcome::hit;
};

/// What a tag means now, and how that is known.
struct ResolvedTag {
  Digest digest;
  std::int64_t checked_at = 0;                       ///< Unix time, seconds
  metrics::Outcome outcome = metrics::Outcome::hit;  ///< hit, miss, or stale
  bool fetched = false;                              ///< the manifest had to be fetched to know it

  /// When it was last known to be so, where that is too long ago.
  std::optional<std::int64_t> stale_since() const {
    if (outcome != metrics::Outcome::stale) return std::nullopt;
    return checked_at;
  }
};

/// The rules of the configuration, ready for use. They were checked when it was read; if they
/// cannot be used all the same, that is logged and no name is rewritten.
resolver::Rewriter make_rewriter(const Settings& settings, metrics::Log* log);

/// What all loops' pulls share. Built by serve, outlives every request.
struct PullShared {
  PullShared(const Settings* with, cache::Cache* store, metrics::Log* out, metrics::Metrics* counts,
             DiskPool* pool, DiskPool* publishing)
      : settings(with),
        names(upstream_names(*with)),
        cache(store),
        log(out),
        metrics(counts),
        disk(pool),
        publish(publishing),
        pages(pool),
        rewriter(make_rewriter(*with, out)),
        virtual_images(*with, store->index()),
        absent(with->tags.absent_for),
        tags(out),
        manifests(out),
        configs(out),
        checks(out) {}

  const Settings* settings;
  resolver::UpstreamNames names;
  cache::Cache* cache;
  metrics::Log* log;
  metrics::Metrics* metrics;
  DiskPool* disk;
  DiskPool* publish;  ///< a few threads of its own: who waits for fsync holds up no other fill
  DiskPages pages;
  BadBlobs bad_blobs;
  resolver::Rewriter rewriter;
  VirtualImages virtual_images;
  SinglePlatforms single_platforms;
  Absent absent;                 ///< what upstreams have just said there is not
  Prefetch* prefetch = nullptr;  ///< set by the server where something is fetched ahead
  /// Shared with the commits under way, which may end after everything else here.
  std::shared_ptr<RecentGrants> recent_grants = std::make_shared<RecentGrants>();
  /// Bodies under way that pass from an upstream to a client without the disk.
  std::shared_ptr<std::atomic<std::size_t>> relays = std::make_shared<std::atomic<std::size_t>>(0);
  SingleFlight<ResolvedTag> tags;          ///< key: upstream/repository:tag
  SingleFlight<StoredManifest> manifests;  ///< key: upstream/repository@digest
  SingleFlight<SinglePlatforms::Known>
      configs;  ///< key: upstream/repository@digest of the manifest
  Permits permits;
  Attempts attempts;
  SingleFlight<bool> checks;  ///< of clients' credentials; key: Permits::key(), target
  std::atomic<std::size_t> checks_under_way = 0;
};

/// What one loop's pulls use.
struct PullParts {
  PullShared* shared;
  Upstreams* upstreams;

  /// The client for an image's upstream. Routes lead to configured names only, so it is there.
  Registry* registry(const ImageName& image) const { return upstreams->find(image.upstream); }
};

/// Unix time, seconds: for what is stored and shown, never for waiting.
std::int64_t unix_now();

/// Which of two outcomes a client is told of an answer that took both: stale, miss, joined, hit.
metrics::Outcome worst(metrics::Outcome a, metrics::Outcome b);

/// True for failures that may be gone in a minute: nothing should be decided by them.
bool is_passing(const Error& error);

/// True when what the upstream denied was asked for with another's credentials, and there are some
/// of a client that waits here, to ask with instead.
bool another_lends(const PullParts& parts, const ImageName& image, const Error& error);
inline constexpr int lenders_max = 8;  ///< that one request is asked for with, one after the other

/// Remembers that the image name was given the digest by its upstream: known at once, durable soon,
/// nobody waits. What is known is not written again.
void grant_soon(PullShared& shared, const ImageName& image, const Digest& digest);

/// Does the image name hold the digest, by the index or by what is on its way there? Where not
/// everybody may have everything it does not by being named: anyone may push a manifest that names
/// another's blobs.
bool granted(const PullShared& shared, const ImageName& image, const Digest& digest);

/// The platform whose image the digest belongs to under this name, as its grant says; "" : unknown,
/// or more than one.
std::string granted_platform(const PullShared& shared, const ImageName& image,
                             const Digest& digest);

/// The upstream's bytes had another digest: nobody is to ask it for them again for a moment, unless
/// it has another place that may be better.
void remember_lie(PullShared& shared, const ImageName& image, const Digest& digest);

/// Queues a commit and waits until it is durable, so that the next request finds what it says.
boost::asio::awaitable<Result<void>> commit(PullParts* parts, cache::Changes changes);

}  // namespace archway::proxy
