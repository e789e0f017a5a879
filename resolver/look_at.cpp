#include "resolver/fitting.hpp"
#include "resolver/platform_order.hpp"

#include <cstddef>
#include <map>
#include <utility>

namespace archway::resolver {
namespace {

using Ladders = std::vector<std::vector<Platform>>;

/// `1st`, `2nd`, `3rd`, `11th`, `21st`.
std::string ordinal(std::size_t number) {
  const auto last = number % 10;
  const bool teens = number / 10 % 10 == 1;
  const char* end = "th";
  if (!teens && last == 1) end = "st";
  if (!teens && last == 2) end = "nd";
  if (!teens && last == 3) end = "rd";
  return std::to_string(number) + end;
}

/// What is said about the entries that fit, by position.
std::map<std::size_t, std::string> choices(const Ladders& ladders,
                                           const std::vector<const Platform*>& offered) {
  std::map<std::size_t, std::string> notes;
  std::size_t emulated = 0;
  for (std::size_t i = 0; i < ladders.size(); ++i) {
    std::size_t own = 0;
    for (const auto position : best_first(ladders[i], offered)) {
      if (notes.contains(position)) continue;
      notes[position] = i == 0 ? "fits, " + ordinal(++own) + " choice"
                               : "emulated, " + ordinal(++emulated) + " choice";
    }
  }
  return notes;
}

/// True when it is the build alone that keeps it from starting there.
bool is_another_build(const Ladders& ladders, Platform platform) {
  if (platform.os != "windows") return false;
  platform.os_version.clear();
  return !best_first(ladders.front(), {&platform}).empty();
}

/// What is said about an entry that does not fit.
std::string note_about(const Descriptor& entry, const Ladders& ladders,
                       const VerdictPolicy& policy) {
  if (is_attestation(entry)) return "an attestation";
  if (kind_of(entry.media_type) == ManifestKind::other) return "neither manifest nor index";
  if (!entry.platform && kind_of(entry.media_type) == ManifestKind::index) {
    return "an index within the index";
  }
  if (!entry.platform || !is_choosable(entry)) return "no platform stated";
  if (!is_allowed(policy, *entry.platform)) return "not allowed (platforms.allow)";
  if (ladders.empty()) return "not compared";
  return is_another_build(ladders, *entry.platform) ? "another Windows build" : "another platform";
}

}  // namespace

std::vector<EntryNote> look_at(const Manifest& index, const ClientPlatform& client,
                               const VerdictPolicy& policy) {
  const auto ladders = ladders_of(client);
  const auto fits = choices(ladders, candidates(index, policy).allowed);
  std::vector<EntryNote> notes;
  for (std::size_t i = 0; i < index.manifests.size(); ++i) {
    const auto& entry = index.manifests[i];
    const auto fit = fits.find(i);
    notes.push_back({.platform = entry.platform ? entry.platform->str() : "",
                     .digest = entry.digest,
                     .size = entry.size,
                     .note = fit != fits.end() ? fit->second : note_about(entry, ladders, policy)});
  }
  return notes;
}

}  // namespace archway::resolver
