#include "resolver/fitting.hpp"

#include "resolver/platform_order.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace archway::resolver {
namespace {

/// True for `10.0.20348` and `10.0.20348.2527`: images state the revision, operators the build.
bool is_version(std::string_view version, std::string_view wanted) {
  return version.starts_with(wanted) &&
         (version.size() == wanted.size() || version[wanted.size()] == '.');
}

bool covers(const Platform& allowed, const Platform& platform) {
  return allowed.os == platform.os && allowed.architecture == platform.architecture &&
         (allowed.variant.empty() || allowed.variant == platform.variant) &&
         (allowed.os_version.empty() || is_version(platform.os_version, allowed.os_version));
}

}  // namespace

bool is_allowed(const VerdictPolicy& policy, const Platform& platform) {
  return policy.allow.empty() ||
         std::any_of(policy.allow.begin(), policy.allow.end(),
                     [&](const Platform& allowed) { return covers(allowed, platform); });
}

bool is_attestation(const Descriptor& entry) {
  return entry.reference_type == "attestation-manifest";
}

bool is_choosable(const Descriptor& entry) {
  return kind_of(entry.media_type) != ManifestKind::other && !is_attestation(entry) &&
         !(entry.platform && entry.platform->os == "unknown");
}

Candidates candidates(const Manifest& index, const VerdictPolicy& policy) {
  Candidates result;
  for (const auto& entry : index.manifests) {
    const auto* platform = is_choosable(entry) && entry.platform ? &*entry.platform : nullptr;
    const bool allowed = platform != nullptr && is_allowed(policy, *platform);
    result.allowed.push_back(allowed ? platform : nullptr);
    result.barred.push_back(allowed ? nullptr : platform);
  }
  return result;
}

std::vector<std::vector<Platform>> ladders_of(const ClientPlatform& client) {
  if (!client.platform || client.variant_unknown) return {};
  std::vector<std::vector<Platform>> ladders{ladder(*client.platform)};
  if (ladders.front().empty()) return {};
  for (const auto& emulated : client.emulates) {
    auto rungs = ladder(emulated.normalised(), Reach::architecture);
    if (!rungs.empty()) ladders.push_back(std::move(rungs));
  }
  return ladders;
}

}  // namespace archway::resolver
