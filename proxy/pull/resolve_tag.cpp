#include "proxy/pull/resolve_tag.hpp"

#include "proxy/pull/obtain_manifest.hpp"
#include "proxy/pull/prefetch.hpp"
#include "proxy/upstream/status.hpp"
#include "resolver/freshness.hpp"

#include <chrono>
#include <utility>

namespace archway::proxy {

namespace net = boost::asio;

namespace {

constexpr std::chrono::minutes patience{2};

/// True for failures that a cached answer may stand in for. What the upstream says about the image
/// itself (gone, not for us) is an answer, not a failure.
bool may_stand_in(const Error& error) {
  return upstream_fails(error) || error.code == Errc::overloaded;
}

/// Asks the upstream what the tag means and remembers it. A registry that does not say the digest
/// in its answer to HEAD is asked for the manifest itself, whose hash it is.
net::awaitable<Result<ResolvedTag>> ask_upstream(PullParts* parts, ImageName image, Tag tag) {
  auto* registry = parts->registry(image);
  const auto head = co_await registry->head_manifest(image.repository, tag);
  if (!head) co_return head.error();
  std::optional<Digest> digest = head->digest;
  bool fetched_it = true;
  if (digest) {
    // A tag moves only to what can be had: else its last good answer would be lost with it.
    const auto there = co_await obtain_manifest(parts, image, *digest);
    if (!there) co_return there.error();
    fetched_it = there->outcome != metrics::Outcome::hit;
  } else {
    const auto fetched = co_await fetch_manifest_by_tag(parts, image, tag);
    if (!fetched) co_return fetched.error();
    digest = fetched->digest;
  }
  const auto now = unix_now();
  cache::Changes changes;
  changes.tags.push_back({{image, tag}, {.digest = *digest, .checked_at = now}});
  changes.grants.emplace_back(image, *digest, granted_platform(*parts->shared, image, *digest));
  const auto kept = co_await commit(parts, std::move(changes));
  if (!kept) {
    parts->shared->log->write_seldom("tag", metrics::Level::warn, "a tag could not be remembered",
                                     {{"why", kept.error().context}});
  }
  co_return ResolvedTag{.digest = *digest,
                        .checked_at = now,
                        .outcome = metrics::Outcome::miss,
                        .fetched = fetched_it};
}

}  // namespace

net::awaitable<Result<ResolvedTag>> resolve_tag(PullParts* parts, ImageName image, Tag tag) {
  const auto& shared = *parts->shared;
  const auto known = shared.cache->index().find_tag(image, tag);
  auto freshness = resolver::Freshness::expired;
  if (known) {
    freshness =
        resolver::freshness(shared.settings->tags, image, tag, known->checked_at, unix_now());
  }
  if (freshness == resolver::Freshness::fresh) {
    co_return ResolvedTag{.digest = known->digest, .checked_at = known->checked_at};
  }
  const std::string key = image.str() + ":" + tag.str();
  const auto work = [parts, image, tag] { return ask_upstream(parts, image, tag); };
  const auto asked = co_await parts->shared->tags.run(key, work, patience);
  if (asked) co_return *asked;
  if (freshness != resolver::Freshness::stale || !may_stand_in(asked.error())) {
    co_return asked.error();
  }
  if (shared.prefetch != nullptr) shared.prefetch->spare(image.upstream, asked.error());
  shared.log->write_seldom("stale " + image.upstream, metrics::Level::warn,
                           "the upstream fails; serving what is cached",
                           {{"upstream", image.upstream}, {"why", asked.error().context}});
  co_return ResolvedTag{
      .digest = known->digest, .checked_at = known->checked_at, .outcome = metrics::Outcome::stale};
}

}  // namespace archway::proxy
