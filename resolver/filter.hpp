#pragma once

#include "resolver/fitting.hpp"

#include <vector>

namespace archway::resolver {

/// Looks for all entries that the client runs or emulates, and the attestations about them. Gives
/// Verdict::Kind::filter; pass where that would leave everything or any choice would be a guess.
/// Entries without a platform are not kept: what they are for, only fetching them would tell.
Finding filter(const Manifest& index, const std::vector<std::vector<Platform>>& ladders,
               const VerdictPolicy& policy);

}  // namespace archway::resolver
