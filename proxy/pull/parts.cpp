#include "proxy/pull/parts.hpp"

#include <chrono>
#include <utility>

namespace archway::proxy {

namespace net = boost::asio;

namespace {

/// Where the index's writer thread leaves a commit's result.
struct CommitResult {
  std::shared_ptr<Wakeup> wakeup;
  Result<void> result = {};
};

// Clients wait for it. A commit that takes longer is made all the same; only the next request may
// find its grants missing.
constexpr std::chrono::seconds commit_wait_max{2};

}  // namespace

std::int64_t unix_now() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::seconds>(now).count();
}

void grant_soon(PullShared& shared, const ImageName& image, const Digest& digest) {
  shared.recent_grants->add(image, digest);
  cache::Changes changes;
  changes.grants.emplace_back(image, digest);
  shared.cache->index().commit(std::move(changes), [recent = shared.recent_grants, log = shared.log,
                                                    image, digest](Result<void> kept) {
    recent->remove(image, digest);
    if (kept) return;
    log->write_seldom("grant", metrics::Level::warn, "a grant could not be kept",
                      {{"why", kept.error().context}});
  });
}

bool granted(const PullShared& shared, const ImageName& image, const Digest& digest) {
  // In this order: what leaves the one is readable in the other.
  return shared.recent_grants->contains(image, digest) ||
         shared.cache->index().granted(image, digest);
}

net::awaitable<Result<void>> commit(PullParts* parts, cache::Changes changes) {
  const auto executor = co_await net::this_coro::executor;
  const auto done = std::make_shared<CommitResult>();
  done->wakeup = Wakeup::make(executor);
  parts->shared->cache->index().commit(std::move(changes), [done](Result<void> result) {
    done->result = std::move(result);
    done->wakeup->fire();
  });
  const bool ended = co_await done->wakeup->wait(commit_wait_max);
  if (!ended) {
    co_return Error{.code = Errc::storage_failed,
                    .origin = Origin::storage,
                    .message = "the cache's disk does not answer",
                    .context = "an index commit took longer than 2 s",
                    .retryable = true};
  }
  co_return done->result;
}

}  // namespace archway::proxy
