#include "resolver/freshness.hpp"

#include "resolver/glob.hpp"

#include <algorithm>

namespace archway::resolver {

Freshness freshness(const TagRules& rules, const ImageName& image, const Tag& tag,
                    std::int64_t checked_at, std::int64_t now) {
  if (checked_at > now) return Freshness::stale;
  // Unsigned, so that the two ends of time do not overflow.
  const auto age = static_cast<std::uint64_t>(now) - static_cast<std::uint64_t>(checked_at);
  const auto within = [age](std::chrono::seconds span) {
    return span.count() > 0 && age < static_cast<std::uint64_t>(span.count());
  };
  const auto name = image.str() + ":" + tag.str();
  const auto rule = std::find_if(rules.rules.begin(), rules.rules.end(),
                                 [&](const auto& r) { return glob_matches(r.match, name); });
  if (within(rule == rules.rules.end() ? rules.fresh_for : rule->fresh_for)) {
    return Freshness::fresh;
  }
  return within(rules.stale_for) ? Freshness::stale : Freshness::expired;
}

}  // namespace archway::resolver
