#include "proxy/pull/reuse_manifest.hpp"

#include "proxy/config/access.hpp"
#include "proxy/pull/prefetch.hpp"
#include "proxy/pull/prefetch_queue.hpp"
#include "resolver/freshness.hpp"

#include <optional>
#include <utility>

namespace archway::proxy {

namespace {

/// What a tag was known to be, and since when.
struct Believed {
  resolver::TagTimes times;
  std::int64_t checked_at = 0;

  bool fresh() const {
    return resolver::freshness(times, checked_at, unix_now()) == resolver::Freshness::fresh;
  }
};

std::optional<Believed> believed(const PullShared& shared, const Asked& asked) {
  const auto known = shared.cache->index().find_tag(asked.image, *asked.tag);
  if (!known) return std::nullopt;
  return Believed{.times = resolver::times_for(shared.settings->tags, asked.image, *asked.tag),
                  .checked_at = known->checked_at};
}

Account account_of(const Asked& asked) {
  Account account = *asked.account;
  account.holds.clear();
  return account;
}

class ManifestReuse final : public Reuse {
 public:
  ManifestReuse(const PullShared& shared, const Asked& asked, std::uint16_t status,
                std::optional<Believed> tag)
      : shared_(&shared),
        known_(asked.known),
        request_(asked.request),
        account_(account_of(asked)),
        status_(status),
        tag_(std::move(tag)) {
    if (asked.tag && asked.client.platform && shared.prefetch != nullptr) {
      seen_ = Seen{.image = asked.image, .tag = *asked.tag, .platform = *asked.client.platform};
    }
  }

  bool still_right() const override {
    return known_ == Knowledge::of(*shared_) && (!tag_ || tag_->fresh());
  }

  std::string next_id() const override { return next_request_id(); }

  void used(const Use& use, const Sent& sent) const override {
    see();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - use.begun;
    count_request(account_, status_, sent, took, shared_->metrics);
    if (!shared_->log->enabled(metrics::Level::info)) return;
    Account account = account_;
    account.id = use.id;
    Request request = *request_;
    request.peer = use.peer;
    log_request(account, request, status_, sent, took, shared_->log);
  }

 private:
  struct Seen {
    ImageName image;
    Tag tag;
    Platform platform;
    std::int64_t at = 0;
  };

  /// Who pulls what is remembered by the second.
  void see() const {
    const auto now = unix_now();
    if (!seen_ || seen_->at == now) return;
    seen_->at = now;
    shared_->prefetch->pulled(seen_->image, seen_->tag, seen_->platform, now);
  }

  const PullShared* shared_;
  const Knowledge known_;
  const std::shared_ptr<const Request> request_;
  const Account account_;
  const std::uint16_t status_;
  const std::optional<Believed> tag_;
  mutable std::optional<Seen> seen_;  // One loop's, like the whole.
};

/// Where the answer depends on who asks, beyond what ReadyAnswers compares.
bool is_everybodys(const PullShared& shared, const Asked& asked) {
  return access_for(*shared.settings, asked.named) == Settings::Access::shared &&
         access_for(*shared.settings, asked.image) == Settings::Access::shared &&
         asked.account->holds.empty() && !asks_anew(shared.settings->tags, *asked.request);
}

/// Somebody is to learn of each such request.
bool tells(const Asked& asked, const Decided& decided) {
  return !asked.client.conflict.empty() || !asked.rewrite_problem.empty() ||
         !decided.warning.empty() || decided.stale_since.has_value();
}

/// What virtual images, nested indexes and configs say may be missing only at the moment.
bool is_settled(const PullShared& shared, const Asked& asked, const Decided& decided) {
  if (decided.outcome != metrics::Outcome::hit || decided.looked_inside) return false;
  if (!shared.virtual_images.members_of(asked.image).empty()) return false;
  if (!shared.virtual_images.members_of(asked.named).empty()) return false;
  const bool single =
      asked.tag && !decided.index && decided.manifest.manifest->kind != ManifestKind::index;
  return !single || !asked.client.platform ||
         shared.single_platforms.find(decided.manifest.digest).has_value();
}

/// Each answer that is given fetches ahead what is missing.
bool is_whole(const PullShared& shared, const Asked& asked, const Decided& decided) {
  if (shared.prefetch == nullptr || !shared.settings->prefetch.layers) return true;
  return asked.request->method == Method::head ||
         missing_parts(shared.cache->index(), *decided.manifest.manifest).empty();
}

}  // namespace

bool answers_by_address(const Settings& settings) {
  return !settings.platforms.clients.empty() || !settings.platforms.trust.empty() ||
         !settings.tags.no_cache_from.empty();
}

std::shared_ptr<const Reuse> reuse_of(const PullShared& shared, const Asked& asked,
                                      const Decided& decided, const Response& response) {
  const bool settled = is_everybodys(shared, asked) && !tells(asked, decided) &&
                       is_settled(shared, asked, decided) && is_whole(shared, asked, decided);
  if (!settled) return nullptr;
  // By what is in the index, not by what is on its way there.
  const auto& digest = decided.manifest.digest;
  if (shared.recent_grants->contains(decided.from, digest)) return nullptr;
  if (!granted(shared, decided.from, digest)) return nullptr;
  std::optional<Believed> tag;
  if (asked.tag) {
    tag = believed(shared, asked);
    if (!tag) return nullptr;
  }
  return std::make_shared<const ManifestReuse>(shared, asked, response.status, std::move(tag));
}

}  // namespace archway::proxy
