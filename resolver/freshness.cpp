#include "resolver/freshness.hpp"

#include "resolver/glob.hpp"

#include <algorithm>

namespace archway::resolver {
namespace {

constexpr std::chrono::seconds spared_at_most = std::chrono::hours(1);

void apply(const TagChanges& changes, TagTimes& times) {
  times.fresh_for = changes.fresh_for.value_or(times.fresh_for);
  times.stale_for = changes.stale_for.value_or(times.stale_for);
  times.serve_deleted = changes.serve_deleted.value_or(times.serve_deleted);
}

}  // namespace

TagTimes times_for(const TagRules& rules, const ImageName& image, const Tag& tag) {
  TagTimes times{.fresh_for = rules.fresh_for,
                 .stale_for = rules.stale_for,
                 .serve_deleted = rules.serve_deleted};
  const auto upstream = rules.upstreams.find(image.upstream);
  if (upstream != rules.upstreams.end()) apply(upstream->second, times);
  const auto name = image.str() + ":" + tag.str();
  const auto rule = std::find_if(rules.rules.begin(), rules.rules.end(),
                                 [&](const auto& r) { return glob_matches(r.match, name); });
  if (rule != rules.rules.end()) apply(rule->changes, times);
  return times;
}

TagTimes spare_upstream(TagTimes times) {
  times.fresh_for = std::max(times.fresh_for, std::min(2 * times.fresh_for, spared_at_most));
  return times;
}

Freshness freshness(const TagTimes& times, std::int64_t checked_at, std::int64_t now) {
  if (checked_at > now) return Freshness::stale;
  // Unsigned, so that the two ends of time do not overflow.
  const auto age = static_cast<std::uint64_t>(now) - static_cast<std::uint64_t>(checked_at);
  const auto within = [age](std::chrono::seconds span) {
    return span.count() > 0 && age < static_cast<std::uint64_t>(span.count());
  };
  if (within(times.fresh_for)) return Freshness::fresh;
  return within(times.stale_for) ? Freshness::stale : Freshness::expired;
}

}  // namespace archway::resolver
