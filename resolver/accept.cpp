#include "resolver/accept.hpp"

#include "resolver/model/text.hpp"

#include <algorithm>
#include <cstddef>

namespace archway::resolver {
namespace {

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

/// Takes the part up to `separator` off the front of `rest`.
std::string_view take(std::string_view& rest, char separator) {
  const auto end = std::min(rest.find(separator), rest.size());
  const auto part = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return trimmed(part);
}

/// `q=0`, `q=0.0`, `Q=0.000`.
bool is_zero_weight(std::string_view parameter) {
  if (parameter.size() < 3 || !equal_ignoring_case(parameter.substr(0, 2), "q=")) return false;
  const auto value = parameter.substr(2);
  return value[0] == '0' && value.find_first_not_of("0.") == std::string_view::npos;
}

bool covers(std::string_view range, std::string_view type) {
  if (range == "*/*") return true;
  if (range.ends_with("/*")) {
    const auto family = range.substr(0, range.size() - 1);
    return equal_ignoring_case(family, type.substr(0, family.size()));
  }
  return equal_ignoring_case(range, type);
}

}  // namespace

std::vector<MediaRange> read_accept(const std::vector<std::string_view>& lines) {
  std::vector<MediaRange> ranges;
  for (auto line : lines) {
    while (!line.empty()) {
      auto element = take(line, ',');
      MediaRange range{.type = take(element, ';')};
      while (!element.empty()) range.refused |= is_zero_weight(take(element, ';'));
      const auto slash = range.type.find('/');
      const bool has_both =
          slash != std::string_view::npos && slash > 0 && slash + 1 < range.type.size();
      if (has_both) ranges.push_back(range);
    }
  }
  return ranges;
}

bool accepts(const std::vector<MediaRange>& ranges, std::string_view type) {
  // A type that is refused by its own name stays refused, whatever a wildcard says.
  const auto own = std::find_if(ranges.begin(), ranges.end(), [type](const MediaRange& range) {
    return equal_ignoring_case(range.type, type);
  });
  if (own != ranges.end()) return !own->refused;
  return std::any_of(ranges.begin(), ranges.end(), [type](const MediaRange& range) {
    return !range.refused && covers(range.type, type);
  });
}

}  // namespace archway::resolver
