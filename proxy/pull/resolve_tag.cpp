#include "proxy/pull/resolve_tag.hpp"

#include "proxy/config/access.hpp"
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

/// True for what a cached answer may stand in for: failures, and what the upstream says about the
/// image itself (gone, not for us) only where the operator wants that.
bool may_stand_in(const Error& error, const resolver::TagTimes& times) {
  if (is_about_image(error)) return times.serve_deleted;
  return upstream_fails(error) || error.code == Errc::overloaded;
}

/// The times of a tag; longer ones when its upstream may not be asked much more.
resolver::TagTimes times_of(const PullParts& parts, const ImageName& image, const Tag& tag) {
  const auto times = resolver::times_for(parts.shared->settings->tags, image, tag);
  return parts.upstreams->budget_is_low(image.upstream) ? resolver::spare_upstream(times) : times;
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

/// As ask_upstream(), however many ask; not again what the upstream has just said there is not.
net::awaitable<Result<ResolvedTag>> ask(PullParts* parts, ImageName image, Tag tag, bool anew) {
  auto& shared = *parts->shared;
  const std::string key = image.str() + ":" + tag.str();
  if (!anew) {
    const auto absent = shared.absent.find(key, std::chrono::steady_clock::now());
    if (absent) co_return *absent;
  }
  // Goes on when the client that it goes by has left.
  const SingleFlight<ResolvedTag>::Work work = [parts, image, tag,
                                                loan = parts->upstreams->loan_of(image)] {
    return ask_upstream(parts, image, tag);
  };
  auto asked = co_await shared.tags.run(key, work, patience);
  for (int lenders = 1; lenders < lenders_max && !asked; ++lenders) {
    if (!another_lends(*parts, image, asked.error())) break;
    asked = co_await shared.tags.run(key, work, patience);
  }
  if (!asked && !is_borrowed(*shared.settings, image)) {
    shared.absent.remember(key, asked.error(), std::chrono::steady_clock::now());
  }
  co_return asked;
}

void tell_stale(const PullShared& shared, const ImageName& image, const Error& why) {
  if (shared.settings->offline) return;  // That is no news.
  if (shared.prefetch != nullptr) shared.prefetch->spare(image.upstream, why);
  shared.log->write_seldom("stale " + image.upstream, metrics::Level::warn,
                           is_about_image(why)
                               ? "the upstream has an image no more; serving what is cached"
                               : "the upstream fails; serving what is cached",
                           {{"upstream", image.upstream}, {"why", why.context}});
}

}  // namespace

net::awaitable<Result<ResolvedTag>> resolve_tag(PullParts* parts, ImageName image, Tag tag,
                                                bool anew) {
  const auto& shared = *parts->shared;
  const auto known = shared.cache->index().find_tag(image, tag);
  const auto times = times_of(*parts, image, tag);
  auto freshness = resolver::Freshness::expired;
  if (known) freshness = resolver::freshness(times, known->checked_at, unix_now());
  if (freshness == resolver::Freshness::fresh && !anew) {
    co_return ResolvedTag{.digest = known->digest, .checked_at = known->checked_at};
  }
  const auto asked = co_await ask(parts, image, tag, anew);
  if (asked) co_return *asked;
  // Who is offline by choice has nobody else to ask, however old it is.
  const bool usable =
      known && (freshness != resolver::Freshness::expired || shared.settings->offline);
  if (!usable || !may_stand_in(asked.error(), times)) co_return asked.error();
  tell_stale(shared, image, asked.error());
  co_return ResolvedTag{
      .digest = known->digest, .checked_at = known->checked_at, .outcome = metrics::Outcome::stale};
}

}  // namespace archway::proxy
