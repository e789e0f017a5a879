#include "proxy/pull/tag_watch.hpp"

#include "proxy/config/access.hpp"
#include "proxy/pull/admit.hpp"
#include "proxy/pull/asked.hpp"
#include "proxy/pull/choose.hpp"
#include "proxy/pull/obtain_manifest.hpp"
#include "proxy/upstream/status.hpp"
#include "resolver/freshness.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>

namespace archway::proxy {

namespace net = boost::asio;

namespace {

constexpr std::chrono::hours forget_pause{1};
constexpr std::chrono::hours interval_max{24 * 365};  // The steady clock counts nanoseconds.

std::chrono::milliseconds since_epoch() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now);
}

std::chrono::seconds shortest(const resolver::TagRules& rules) {
  auto span = rules.fresh_for;
  for (const auto& rule : rules.rules) {
    span = std::min(span, rule.changes.fresh_for.value_or(span));
  }
  for (const auto& [name, changes] : rules.upstreams) {
    span = std::min(span, changes.fresh_for.value_or(span));
  }
  return span;
}

resolver::ClientPlatform client_of(const Platform& platform) {
  return {.platform = platform, .resolves = true};
}

/// The name under which an index's child can be had: that of the index, or of a virtual image's
/// member.
ImageName source_of(const PullShared& shared, const ImageName& image, const Digest& child) {
  if (granted(shared, image, child)) return image;
  for (const auto& member : shared.virtual_images.members_of(image)) {
    if (granted(shared, member, child)) return member;
  }
  return image;
}

/// What the client will ask for next: the manifest itself, or, of an index that it was given whole
/// or filtered, the manifest that it chooses. One that finds nothing there leaves it as it is.
net::awaitable<Result<Decided>> chosen_by_client(PullParts* parts, ImageName image,
                                                 resolver::ClientPlatform client, Decided decided) {
  const auto& shared = *parts->shared;
  if (decided.manifest.manifest->kind != ManifestKind::index) co_return decided;
  Question question{.image = decided.from, .name = image.str(), .client = client, .policy = {}};
  question.policy.allow = policy_for(*shared.settings, image).allow;
  const auto asked = std::make_shared<const Question>(std::move(question));
  const auto verdict = co_await choose(parts, asked, decided.manifest);
  if (!verdict) co_return verdict.error();
  if (verdict->kind != resolver::Verdict::Kind::child) co_return decided;
  decided.from = source_of(shared, decided.from, verdict->target->digest);
  auto child = co_await obtain_manifest(parts, decided.from, verdict->target->digest);
  if (!child) co_return child.error();
  decided.manifest = *std::move(child);
  co_return decided;
}

}  // namespace

/// The tags of one upstream that are due. However it ends, they can be looked at again.
class TagWatch::Round {
 public:
  Round(std::set<std::string>& rounds, std::string upstream, std::vector<WatchedPtr> due)
      : tags(std::move(due)), rounds_(rounds), upstream_(std::move(upstream)) {
    rounds_.insert(upstream_);
    for (const auto& tag : tags) tag->looking = true;
  }
  Round(const Round&) = delete;
  Round& operator=(const Round&) = delete;
  ~Round() {
    rounds_.erase(upstream_);
    for (const auto& tag : tags) tag->looking = false;
  }

  const std::vector<WatchedPtr> tags;

 private:
  std::set<std::string>& rounds_;
  const std::string upstream_;
};

TagWatch::TagWatch(const Settings& settings, Seen* seen, PrefetchQueue* queue, Spared* spared,
                   metrics::Log* log)
    : settings_(&settings),
      seen_(seen),
      queue_(queue),
      spared_(spared),
      log_(log),
      // A tag that comes in is not due before it was fresh for a while.
      refresh_pause_(std::clamp(shortest(settings.tags), interval_min, pause_max)) {}

/// As resolver::freshness() has it, but as a time to wait for.
std::chrono::seconds TagWatch::interval(const Watched& watched) const {
  const auto fresh_for = resolver::times_for(settings_->tags, watched.image, watched.tag).fresh_for;
  return std::clamp<std::chrono::seconds>(fresh_for, interval_min, interval_max);
}

/// None for a virtual image, whose index is made of many tags.
std::optional<cache::TagRecord> TagWatch::record_of(const PullParts& parts,
                                                    const Watched& watched) const {
  const auto& shared = *parts.shared;
  if (shared.virtual_images.find(watched.image, watched.tag)) return std::nullopt;
  return shared.cache->index().find_tag(watched.image, watched.tag);
}

std::optional<Digest> TagWatch::fresh_digest(const PullParts& parts, const Watched& watched) const {
  const auto record = record_of(parts, watched);
  if (!record) return std::nullopt;
  const auto times = resolver::times_for(settings_->tags, watched.image, watched.tag);
  const auto freshness = resolver::freshness(times, record->checked_at, unix_now());
  if (freshness != resolver::Freshness::fresh) return std::nullopt;
  return record->digest;
}

TagWatch::Clock::time_point TagWatch::due_by(const Watched& watched,
                                             const cache::TagRecord& record) const {
  const auto now = since_epoch();
  const std::chrono::milliseconds checked_at = std::chrono::seconds(record.checked_at);
  std::chrono::milliseconds age = interval_max;
  // Checked in the future: the clock was set back.
  if (checked_at <= now) age = std::min(age, now - checked_at);
  return Clock::now() + interval(watched) - age;
}

TagWatch::Child* TagWatch::find_child(Watched& watched, const Platform& platform) {
  const auto found = watched.children.find(platform.str());
  return found == watched.children.end() ? nullptr : &found->second;
}

/// Also when nobody of that platform pulls it any more.
bool TagWatch::is_whole(Watched& watched, const Platform& platform, const Digest& stands_for) {
  const auto* const child = find_child(watched, platform);
  return child == nullptr || child->whole_for == stands_for;
}

/// What a tag stands for when it is met is what its clients were given; only what it stands for
/// later is fetched ahead.
void TagWatch::meet(const PullParts& parts, Seen::Entry entry) {
  auto& watched = watched_[{entry.image, entry.tag}];
  const bool is_new = watched == nullptr;
  if (is_new) {
    watched = std::make_shared<Watched>(Watched{.image = entry.image, .tag = entry.tag});
    watched->due = Clock::now();
  }
  std::optional<cache::TagRecord> record;
  std::map<std::string, Child> children;
  for (const auto& platform : entry.platforms) {
    const auto* const known = find_child(*watched, platform);
    if (known == nullptr && !record) record = record_of(parts, *watched);
    Child child = known != nullptr ? *known : Child();
    if (known == nullptr && record) child.whole_for = record->digest;
    children.emplace(platform.str(), child);
  }
  if (is_new && record) watched->due = due_by(*watched, *record);
  watched->platforms = std::move(entry.platforms);
  watched->children = std::move(children);
}

void TagWatch::refresh(const PullParts& parts) {
  const auto since = unix_now() - settings_->prefetch.forget.count();
  const auto now = Clock::now();
  refresh_at_ = now + refresh_pause_;
  if (now >= forget_at_) {
    forget_at_ = now + forget_pause;
    seen_->forget_before(since);
  }
  auto entries = seen_->pulled_since(since);
  std::set<std::pair<ImageName, Tag>> pulled;
  for (auto& entry : entries) {
    // Not configured any more, nobody's credentials to ask with, or given to nobody.
    if (parts.registry(entry.image) == nullptr || is_borrowed(*settings_, entry.image) ||
        !check_listed(*settings_, entry.image) || !check_members(*parts.shared, entry.image)) {
      continue;
    }
    pulled.emplace(entry.image, entry.tag);
    meet(parts, std::move(entry));
  }
  std::erase_if(watched_, [&](const auto& one) { return !pulled.contains(one.first); });
}

void TagWatch::begin_rounds(PullParts* parts, const net::any_io_executor& executor) {
  const auto now = Clock::now();
  std::map<std::string, std::vector<WatchedPtr>> due;
  for (const auto& [key, watched] : watched_) {
    const auto& upstream = watched->image.upstream;
    if (watched->due > now || rounds_.contains(upstream) || spared_->is_spared(upstream, now)) {
      continue;
    }
    due[upstream].push_back(watched);
  }
  for (auto& [upstream, tags] : due) {
    std::sort(tags.begin(), tags.end(),
              [](const auto& a, const auto& b) { return a->due < b->due; });
    auto round = std::make_shared<Round>(rounds_, upstream, std::move(tags));
    net::co_spawn(executor, run_round(parts, std::move(round)),
                  [log = log_](std::exception_ptr escaped) {
                    if (escaped) log->error("a look at a tag ended by an exception");
                  });
  }
}

TagWatch::Clock::duration TagWatch::until_next_look() const {
  auto next = refresh_at_;
  for (const auto& [key, watched] : watched_) {
    if (watched->looking) continue;
    next = std::min(next, std::max(watched->due, spared_->until(watched->image.upstream)));
  }
  return std::clamp<Clock::duration>(next - Clock::now(), pause_min, pause_max);
}

net::awaitable<void> TagWatch::run(PullParts* parts) {
  const auto executor = co_await net::this_coro::executor;
  net::steady_timer timer(executor);
  for (;;) {
    if (Clock::now() >= refresh_at_) refresh(*parts);
    begin_rounds(parts, executor);
    timer.expires_after(until_next_look());
    boost::system::error_code ignored;
    co_await timer.async_wait(net::redirect_error(net::use_awaitable, ignored));
  }
}

net::awaitable<void> TagWatch::run_round(PullParts* parts, std::shared_ptr<Round> round) {
  for (const auto& watched : round->tags) {
    const auto& upstream = watched->image.upstream;
    if (spared_->is_spared(upstream, Clock::now())) co_return;
    if (parts->upstreams->budget_is_low(upstream)) {
      queue_->spare(upstream, std::chrono::seconds(0), little_left);
      co_return;
    }
    co_await look(parts, watched);
  }
}

/// True when the other platforms need not be asked for.
bool TagWatch::ends_look(const PullParts& parts, const Watched& watched, const Error& error) {
  if (upstream_fails(error)) {
    queue_->spare(watched.image.upstream, std::chrono::seconds(error.retry_after_s), error.message);
    return true;
  }
  // What is said of the tag holds for every platform, what is said of a child does not.
  return record_of(parts, watched) && !fresh_digest(parts, watched);
}

net::awaitable<void> TagWatch::look(PullParts* parts, WatchedPtr watched) {
  watched->due = Clock::now() + interval(*watched);
  const auto& upstream = watched->image.upstream;
  auto stands_for = fresh_digest(*parts, *watched);  // A client has asked in the meantime.
  const auto platforms = watched->platforms;
  for (const auto& platform : platforms) {
    if (stands_for && is_whole(*watched, platform, *stands_for)) continue;
    const auto client = client_of(platform);
    const auto decided = co_await decide_tag(parts, watched->image, watched->tag, client, nullptr);
    if (!decided && ends_look(*parts, *watched, decided.error())) co_return;
    if (!decided) continue;
    if (decided->outcome == metrics::Outcome::stale) {
      queue_->spare(upstream, std::chrono::seconds(0), "what is cached had to be served");
      co_return;
    }
    if (decided->outcome == metrics::Outcome::miss) spared_->answered(upstream, Clock::now());
    stands_for = decided->index.value_or(decided->manifest.digest);
    if (is_whole(*watched, platform, *stands_for)) continue;
    co_await fetch_child(parts, watched, platform, *decided);
  }
  const auto record = record_of(*parts, *watched);
  if (record && fresh_digest(*parts, *watched)) {
    watched->due = std::min(watched->due, due_by(*watched, *record));
  }
}

/// Queues what is missing of the manifest that this platform's clients will ask for.
net::awaitable<void> TagWatch::fetch_child(PullParts* parts, WatchedPtr watched, Platform platform,
                                           Decided decided) {
  const auto stands_for = decided.index.value_or(decided.manifest.digest);
  const auto client = client_of(platform);
  const auto chosen = co_await chosen_by_client(parts, watched->image, client, std::move(decided));
  auto* const child = find_child(*watched, platform);
  if (child == nullptr) co_return;
  if (!chosen) {
    try_again(*watched);
    co_return;
  }
  const auto digest = chosen->manifest.digest;
  if (child->under_way == digest) co_return;
  auto batch = batch_of(*parts, *watched, platform, *chosen);
  if (child->prefetched == digest || batch.blobs.empty()) {
    child->prefetched = digest;
    child->whole_for = stands_for;
    co_return;
  }
  batch.done = [watched, platform, digest, stands_for](bool whole) {
    if (!whole) try_again(*watched);
    auto* const fetched = find_child(*watched, platform);
    if (fetched == nullptr) return;
    fetched->under_way.reset();
    if (!whole) return;
    fetched->prefetched = digest;
    fetched->whole_for = stands_for;
  };
  child->under_way = digest;
  if (queue_->push(std::move(batch))) co_return;
  child->under_way.reset();
  try_again(*watched);
}

void TagWatch::try_again(Watched& watched) {
  watched.due = std::min(watched.due, Clock::now() + retry_after);
}

PrefetchBatch TagWatch::batch_of(const PullParts& parts, const Watched& watched,
                                 const Platform& platform, const Decided& chosen) {
  const auto& manifest = *chosen.manifest.manifest;
  PrefetchBatch batch{.image = chosen.from,
                      .name = full_name(watched.image, watched.tag),
                      .platform = platform.str(),
                      .manifest = chosen.manifest.digest,
                      .blobs = missing_parts(parts.shared->cache->index(), manifest)};
  if (manifest.config) batch.config = manifest.config->digest;
  return batch;
}

}  // namespace archway::proxy
