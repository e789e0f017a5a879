#include "resolver/glob.hpp"

#include <cstddef>

namespace archway::resolver {
namespace {

/// The position behind the set's closing bracket, or npos when it is not closed; a bracket right
/// behind the opening (or its `!`) is a member.
std::size_t set_end(std::string_view pattern, std::size_t open) {
  auto at = open + 1;
  if (at < pattern.size() && (pattern[at] == '!' || pattern[at] == '^')) ++at;
  const auto close = pattern.find(']', at + 1);
  return close == std::string_view::npos ? close : close + 1;
}

/// `set` is what stands between the brackets.
bool set_has(std::string_view set, char c) {
  const bool negated = set.front() == '!' || set.front() == '^';
  if (negated) set.remove_prefix(1);
  bool found = false;
  const auto byte = static_cast<unsigned char>(c);
  for (std::size_t i = 0; i < set.size(); ++i) {
    const bool range = i + 2 < set.size() && set[i + 1] == '-';
    const auto low = static_cast<unsigned char>(set[i]);
    const auto high = static_cast<unsigned char>(range ? set[i + 2] : set[i]);
    found |= low <= byte && byte <= high;
    if (range) i += 2;
  }
  return found != negated;
}

/// Matches one character against the pattern's element at `at`; gives the position behind the
/// element, or npos when it does not match.
std::size_t match_one(std::string_view pattern, std::size_t at, char c) {
  constexpr auto no = std::string_view::npos;
  if (pattern[at] == '?') return at + 1;
  if (pattern[at] == '[') {
    const auto end = set_end(pattern, at);
    if (end != no) return set_has(pattern.substr(at + 1, end - at - 2), c) ? end : no;
  }
  if (pattern[at] == '\\' && at + 1 < pattern.size()) ++at;
  return pattern[at] == c ? at + 1 : no;
}

}  // namespace

bool glob_matches(std::string_view pattern, std::string_view text) {
  constexpr auto none = std::string_view::npos;
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = none;    // behind the last `*`, where a new attempt starts
  std::size_t star_text = 0;  // what that `*` has taken ends here
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = ++p;
      star_text = t;
      continue;
    }
    const auto next = p < pattern.size() ? match_one(pattern, p, text[t]) : none;
    if (next != none) {
      p = next;
      ++t;
    } else if (star != none) {
      p = star;
      t = ++star_text;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == none;
}

}  // namespace archway::resolver
