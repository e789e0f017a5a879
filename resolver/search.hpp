#pragma once

#include "resolver/fitting.hpp"

#include <vector>

namespace archway::resolver {

/// Looks for the one manifest that is best: ladder by ladder, see decide(). Gives
/// Verdict::Kind::child, load, or pass where any choice would be a guess.
Finding search(const Manifest& index, const std::vector<std::vector<Platform>>& ladders,
               const VerdictPolicy& policy, const NestedIndexes& nested);

}  // namespace archway::resolver
