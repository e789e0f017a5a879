#include "resolver/verdict.hpp"

#include "resolver/filter.hpp"
#include "resolver/fitting.hpp"
#include "resolver/offer.hpp"
#include "resolver/platform_order.hpp"
#include "resolver/search.hpp"

#include <algorithm>
#include <utility>

namespace archway::resolver {
namespace {

using Answer = VerdictPolicy::Answer;

Verdict pass(std::string reason) {
  return {.kind = Verdict::Kind::pass, .reason = std::move(reason)};
}

Verdict refuse(std::string reason, std::string message) {
  return {
      .kind = Verdict::Kind::refuse, .reason = std::move(reason), .message = std::move(message)};
}

/// `linux/arm/v7 (as the client's address says)`.
std::string said(const ClientPlatform& client) {
  return client.platform->str() + " (" + std::string(phrase(client.source)) + ")";
}

/// Why nothing is decided for this client at all; "" when something is.
std::string undecidable(const ClientPlatform& client, const VerdictPolicy& policy) {
  if (policy.answer == Answer::pass) return "the rules say so";
  if (!client.platform) return "no platform known";
  if (!client.resolves) {
    return client.conflict.empty() ? "the platform is only a hint" : "rule and User-Agent differ";
  }
  if (client.variant_unknown) return "variant unknown";
  return "";
}

constexpr std::string_view not_allowed = "not allowed (platforms.allow)";

Verdict refuse_barred(const Platform& runs_on, const ClientPlatform& client,
                      const VerdictPolicy& policy, std::string_view image) {
  auto message = std::string(image) + " is an image for " + runs_on.str() +
                 " alone, which platforms.allow does not let through (only " +
                 listed(policy.allow) + ")";
  if (client.platform) message += "; the client is " + said(client);
  return refuse(std::string(not_allowed), std::move(message));
}

}  // namespace

Verdict decide(const Manifest& index, const ClientPlatform& client, const VerdictPolicy& policy,
               std::string_view image, const NestedIndexes& nested) {
  if (index.kind != ManifestKind::index) return pass("not an index");
  if (!index.interpretable) return pass("not interpreted: " + index.why);
  if (auto why = undecidable(client, policy); !why.empty()) return pass(std::move(why));
  const auto ladders = ladders_of(client);
  if (ladders.empty()) return pass("variant unknown");

  auto found = policy.answer == Answer::filter ? filter(index, ladders, policy)
                                               : search(index, ladders, policy, nested);
  if (found.verdict) return *std::move(found.verdict);
  const auto nothing = std::string(image) + " has no image for " + said(client);
  if (found.barred) {
    return refuse(std::string(not_allowed), nothing + " that platforms.allow lets through (only " +
                                                listed(policy.allow) + "); it has " +
                                                offer(index, nested));
  }
  if (policy.missing == VerdictPolicy::Missing::pass) return pass("nothing fits");
  if (found.left_out) return pass("nothing fits, but not all of it could be read");
  return refuse("nothing fits", nothing + "; it has " + offer(index, nested));
}

Verdict decide_single(const Platform& runs_on, const ClientPlatform& client,
                      const VerdictPolicy& policy, std::string_view image) {
  if (!is_allowed(policy, runs_on)) return refuse_barred(runs_on, client, policy, image);
  if (policy.wrong == VerdictPolicy::Wrong::pass) return pass("a single manifest");
  if (!client.platform || !client.resolves) return pass("a single manifest");
  const auto same = [&](const Platform& platform) {
    return platform.os == runs_on.os && platform.architecture == runs_on.architecture;
  };
  if (same(*client.platform)) return pass("a single manifest, exact");
  const auto rungs = ladder(*client.platform);
  if (std::any_of(rungs.begin(), rungs.end(), same)) return pass("a single manifest, runs there");
  const auto& emulates = client.emulates;
  if (std::any_of(emulates.begin(), emulates.end(), same))
    return pass("a single manifest, emulated");
  const bool refused = policy.wrong == VerdictPolicy::Wrong::refuse;
  return {.kind = refused ? Verdict::Kind::refuse : Verdict::Kind::pass,
          .reason = "a single manifest for another platform",
          .message = std::string(image) + " is an image for " + runs_on.str() + " alone, not for " +
                     said(client)};
}

}  // namespace archway::resolver
