#include "proxy/config/sections.hpp"
#include "resolver/platform_order.hpp"

#include <algorithm>

namespace archway::proxy {
namespace {

constexpr std::string_view allow_path = "platforms.allow[";

/// True when a machine of this platform can be given something.
bool is_served(const resolver::VerdictPolicy& policy, const Platform& platform) {
  const auto rungs = resolver::ladder(platform);
  return resolver::is_allowed(policy, platform) ||
         std::any_of(rungs.begin(), rungs.end(),
                     [&](const Platform& rung) { return resolver::is_allowed(policy, rung); });
}

}  // namespace

void check_allowed(const Settings& settings, Reading& reading) {
  const auto& policy = settings.policy;
  if (policy.allow.empty()) return;
  bool default_said = false;
  std::optional<Position> allow_at;
  for (const Reading::SaidPlatform& said : reading.platforms) {
    default_said = default_said || said.path == "platforms.default";
    if (said.path.starts_with(allow_path)) {
      if (!allow_at) allow_at = said.at;
    } else if (!is_served(policy, said.platform)) {
      reading.warn(said.at, said.path + ": platforms.allow leaves " + said.platform.str() +
                                " out, so no image for it is fetched");
    }
  }
  const auto& fallback = settings.platforms.fallback;
  if (default_said || !fallback || !allow_at || is_served(policy, *fallback)) return;
  reading.warn(*allow_at, "platforms.allow: " + fallback->str() +
                              " is left out, which clients that cannot choose are given unless "
                              "platforms.default says otherwise");
}

}  // namespace archway::proxy
