#pragma once

#include "resolver/verdict.hpp"

#include <optional>
#include <vector>

/// What all who look for a client's entries in an index have in common.
namespace archway::resolver {

/// True for provenance and SBOM entries: about an image, none themselves.
///
/// Source: BuildKit, docs/attestations/attestation-storage.md.
bool is_attestation(const Descriptor& entry);

/// True for an entry that could be an image, or lead to one.
bool is_choosable(const Descriptor& entry);

/// The platforms of an index's entries, by position; nullptr for an entry that has none, must not
/// be chosen or is in the other list. They point into the index.
struct Candidates {
  std::vector<const Platform*> allowed;
  std::vector<const Platform*> barred;  ///< what `platforms.allow` does not let through
};

Candidates candidates(const Manifest& index, const VerdictPolicy& policy);

/// What the client runs, then each thing that it emulates, as ladders: see ladder(). Empty when it
/// cannot be told: no platform, or a variant that is not known.
std::vector<std::vector<Platform>> ladders_of(const ClientPlatform& client);

/// What looking through an index came to.
struct Finding {
  std::optional<Verdict> verdict = {};  ///< none: nothing fits
  bool barred = false;                  ///< something would fit, were it not for `platforms.allow`
  bool left_out = false;                ///< something that could have fitted was not looked into
};

}  // namespace archway::resolver
