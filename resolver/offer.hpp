#pragma once

#include "resolver/verdict.hpp"

#include <string>
#include <vector>

namespace archway::resolver {

/// What an image has, for a sentence: `linux/amd64, linux/arm64`, each platform once, in index
/// order, not without end; nested indexes as far as they were fetched.
std::string offer(const Manifest& index, const NestedIndexes& nested);

/// The same for a list: `linux/amd64, linux/arm64 and 3 more`; "" for an empty one.
std::string listed(const std::vector<Platform>& platforms);

}  // namespace archway::resolver
