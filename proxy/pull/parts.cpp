#include "proxy/pull/parts.hpp"

#include "proxy/config/access.hpp"

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

resolver::Rewriter make_rewriter(const Settings& settings, metrics::Log* log) {
  auto made =
      resolver::Rewriter::make(settings.rewrite.rules, settings.rewrite.architecture_organisations,
                               upstream_names(settings));
  if (made) return *std::move(made);
  log->error("the rewriting rules cannot be used; no name is rewritten",
             {{"why", made.error().message}});
  return resolver::Rewriter();
}

metrics::Outcome worst(metrics::Outcome a, metrics::Outcome b) {
  const auto rank = [](metrics::Outcome outcome) {
    switch (outcome) {
      case metrics::Outcome::stale: return 3;
      case metrics::Outcome::miss: return 2;
      case metrics::Outcome::joined: return 1;
      default: return 0;
    }
  };
  return rank(a) >= rank(b) ? a : b;
}

bool is_passing(const Error& error) {
  return error.code == Errc::upstream_unreachable || error.code == Errc::upstream_busy ||
         error.code == Errc::overloaded || error.code == Errc::storage_failed;
}

bool another_lends(const PullParts& parts, const ImageName& image, const Error& error) {
  return error.code == Errc::denied && is_borrowed(*parts.shared->settings, image) &&
         parts.upstreams->loan_of(image) != nullptr;
}

void grant_soon(PullShared& shared, const ImageName& image, const Digest& digest) {
  const auto known = shared.cache->index().find_grant(image, digest);
  if (known && known->proof == cache::Proof::given) return;
  shared.recent_grants->add(image, digest);
  cache::Changes changes;
  changes.grants.emplace_back(image, digest, known ? known->platform : std::string(),
                              cache::Proof::given);
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
  if (shared.recent_grants->contains(image, digest)) return true;
  const auto grant = shared.cache->index().find_grant(image, digest);
  if (!grant) return false;
  return grant->proof == cache::Proof::given || !may_ask_clients(*shared.settings);
}

std::string granted_platform(const PullShared& shared, const ImageName& image,
                             const Digest& digest) {
  const auto grant = shared.cache->index().find_grant(image, digest);
  return grant ? grant->platform : std::string();
}

void remember_lie(PullShared& shared, const ImageName& image, const Digest& digest) {
  for (const auto& upstream : shared.settings->upstreams) {
    if (upstream.name == image.upstream && !upstream.further_urls.empty()) return;
  }
  shared.bad_blobs.remember(image, digest);
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
