#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

namespace archway::proxy {

/// How many typing errors lie between two words: a character too many, too few, wrong, or two
/// swapped. Case does not count, and `-` is `_`.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The candidate that was probably meant: the nearest one at most a third of the word's length (at
/// least one error) away, else one that goes on where the word ends, or the other way round; the
/// first of several that are equally near.
std::optional<std::string_view> nearest(std::string_view word,
                                        const std::vector<std::string_view>& candidates);

}  // namespace archway::proxy
