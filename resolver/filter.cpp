#include "resolver/filter.hpp"

#include "resolver/platform_order.hpp"

#include <algorithm>
#include <cstddef>
#include <set>
#include <string>
#include <utility>

namespace archway::resolver {
namespace {

using Ladders = std::vector<std::vector<Platform>>;

bool some_fit(const Ladders& ladders, const std::vector<const Platform*>& offered) {
  return std::any_of(ladders.begin(), ladders.end(),
                     [&](const auto& rungs) { return !best_first(rungs, offered).empty(); });
}

/// The positions of what fits any of the ladders.
std::set<std::size_t> fitting(const Ladders& ladders, const std::vector<const Platform*>& offered) {
  std::set<std::size_t> positions;
  for (const auto& rungs : ladders) {
    for (const auto position : best_first(rungs, offered)) positions.insert(position);
  }
  return positions;
}

void add_attestations(const Manifest& index, std::set<std::size_t>& kept) {
  std::set<Digest> images;
  for (const auto position : kept) images.insert(index.manifests[position].digest);
  for (std::size_t i = 0; i < index.manifests.size(); ++i) {
    const auto& entry = index.manifests[i];
    if (is_attestation(entry) && entry.about && images.contains(*entry.about)) kept.insert(i);
  }
}

bool leads_somewhere(const Descriptor& entry) {
  return is_choosable(entry) && !entry.platform;
}

Verdict keep(const Manifest& index, std::set<std::size_t> kept) {
  add_attestations(index, kept);
  const auto all = index.manifests.size();
  if (kept.size() == all) return {.reason = "filter leaves everything"};
  return {.kind = Verdict::Kind::filter,
          .kept = {kept.begin(), kept.end()},
          .reason = std::to_string(kept.size()) + " of " + std::to_string(all) + " entries kept"};
}

}  // namespace

Finding filter(const Manifest& index, const Ladders& ladders, const VerdictPolicy& policy) {
  const auto [allowed, barred] = candidates(index, policy);
  const auto guess = [&offered = allowed](const auto& rungs) { return is_a_guess(rungs, offered); };
  Finding found{.barred = some_fit(ladders, barred)};
  auto kept = fitting(ladders, allowed);
  if (std::any_of(ladders.begin(), ladders.end(), guess)) {
    found.verdict = {.reason = "a Windows of unknown build, several builds"};
  } else if (!kept.empty()) {
    found.verdict = keep(index, std::move(kept));
  } else {
    const auto& entries = index.manifests;
    found.left_out = std::any_of(entries.begin(), entries.end(), leads_somewhere);
  }
  return found;
}

}  // namespace archway::resolver
