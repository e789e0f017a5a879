#pragma once

#include "cache/cache.hpp"
#include "metrics/log.hpp"
#include "metrics/metrics.hpp"
#include "proxy/config/settings.hpp"
#include "proxy/disk_pool.hpp"
#include "proxy/http/message.hpp"
#include "proxy/pull/recent_grants.hpp"
#include "proxy/single_flight.hpp"
#include "proxy/upstream/upstreams.hpp"
#include "resolver/manifest.hpp"
#include "resolver/model/name.hpp"
#include "resolver/upstream_of.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace archway::proxy {

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
};

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
        tags(out),
        manifests(out) {}

  const Settings* settings;
  resolver::UpstreamNames names;
  cache::Cache* cache;
  metrics::Log* log;
  metrics::Metrics* metrics;
  DiskPool* disk;
  DiskPool* publish;  ///< a few threads of its own: who waits for fsync holds up no other fill
  /// Shared with the commits under way, which may end after everything else here.
  std::shared_ptr<RecentGrants> recent_grants = std::make_shared<RecentGrants>();
  SingleFlight<ResolvedTag> tags;          ///< key: upstream/repository:tag
  SingleFlight<StoredManifest> manifests;  ///< key: upstream/repository@digest
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

/// Remembers that the image name holds the digest: known at once, durable soon, nobody waits.
void grant_soon(PullShared& shared, const ImageName& image, const Digest& digest);

/// Does the image name hold the digest, by the index or by what is on its way there?
bool granted(const PullShared& shared, const ImageName& image, const Digest& digest);

/// Queues a commit and waits until it is durable, so that the next request finds what it says.
boost::asio::awaitable<Result<void>> commit(PullParts* parts, cache::Changes changes);

}  // namespace archway::proxy
