#include "resolver/byte_range.hpp"

#include "resolver/model/text.hpp"

#include <algorithm>
#include <limits>

namespace archway::resolver {
namespace {

constexpr std::uint64_t highest = std::numeric_limits<std::uint64_t>::max();

/// A position too big for 64 bits is behind the end of everything, which `highest` is as well.
std::optional<std::uint64_t> number(std::string_view text) {
  if (text.empty()) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    const auto digit = static_cast<std::uint64_t>(c - '0');
    value = value > (highest - digit) / 10 ? highest : value * 10 + digit;
  }
  return value;
}

/// The two sides of the dash of `bytes=FIRST-LAST`, or none; several ranges have no such sides.
struct Sides {
  std::string_view first;
  std::string_view last;
};

std::optional<Sides> read_sides(std::string_view header) {
  constexpr std::string_view unit = "bytes=";
  header = trimmed(header);
  const auto same = [](char a, char b) { return (a | 0x20) == (b | 0x20); };
  if (header.size() < unit.size()) return std::nullopt;
  if (!std::equal(unit.begin(), unit.end() - 1, header.begin(), same)) return std::nullopt;
  if (header[unit.size() - 1] != '=') return std::nullopt;
  const auto range = trimmed(header.substr(unit.size()));
  const auto dash = range.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  return Sides{.first = range.substr(0, dash), .last = range.substr(dash + 1)};
}

RangeRequest part(std::uint64_t offset, std::uint64_t length) {
  return {.kind = RangeRequest::Kind::part, .range = {.offset = offset, .length = length}};
}

RangeRequest last_bytes(std::uint64_t count, std::uint64_t size) {
  if (count == 0) return {.kind = RangeRequest::Kind::unsatisfiable};
  if (size == 0) return {};  // Satisfiable by the letter, but no Content-Range can say "nothing".
  const auto length = std::min(count, size);
  return part(size - length, length);
}

}  // namespace

RangeRequest read_range(std::string_view header, std::uint64_t size) {
  const auto sides = read_sides(header);
  if (!sides) return {};
  const auto first = number(sides->first);
  const auto last = number(sides->last);
  if (sides->first.empty() && last) return last_bytes(*last, size);
  if (!first || (!last && !sides->last.empty())) return {};
  if (last && *last < *first) return {};
  if (*first >= size) return {.kind = RangeRequest::Kind::unsatisfiable};
  const auto rest = size - *first;
  if (!last || *last - *first >= rest) return part(*first, rest);
  return part(*first, *last - *first + 1);
}

std::optional<std::uint64_t> open_range_offset(std::string_view header) {
  const auto sides = read_sides(header);
  if (!sides || !sides->last.empty()) return std::nullopt;
  return number(sides->first);
}

bool if_range_permits(std::string_view if_range, std::string_view etag) {
  if (if_range.empty()) return true;
  // A weak tag or a date cannot say that the bytes are the same.
  return if_range == etag && etag.starts_with('"');
}

}  // namespace archway::resolver
