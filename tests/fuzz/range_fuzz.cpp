// Any text as a Range header, of objects of several sizes: a part lies within its object, and is
// the part that a second reader with 128 bits finds.

#include "resolver/byte_range.hpp"
#include "tests/fuzz/fuzz.hpp"

#include <limits>
#include <optional>
#include <string>

using archway::fuzz::must;
using archway::resolver::RangeRequest;
using Kind = RangeRequest::Kind;

namespace {

__extension__ using Wide = unsigned __int128;

/// Decimal digits alone; everything beyond 64 bits is as far away as the last of them.
std::optional<Wide> number(std::string_view text) {
  if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos) return {};
  Wide value = 0;
  for (const char c : text) {
    value = value * 10 + static_cast<unsigned>(c - '0');
    const Wide farthest = std::numeric_limits<std::uint64_t>::max();
    if (value > farthest) value = farthest;
  }
  return value;
}

std::string squeezed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return std::string(text);
}

/// The same decision, reckoned another way: by the first and the last byte that are meant.
RangeRequest second_reading(std::string_view header, std::uint64_t size) {
  const auto whole = squeezed(header);
  auto unit = whole.substr(0, 6);
  for (auto& c : unit) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  if (unit != "bytes=") return {};
  const auto range = squeezed(std::string_view(whole).substr(6));
  const auto dash = range.find('-');
  if (dash == std::string::npos) return {};
  const auto first = number(range.substr(0, dash));
  const auto last = number(range.substr(dash + 1));
  const bool open = dash + 1 == range.size();
  Wide from = 0;
  Wide to = size;  // behind the last byte
  if (dash == 0 && last) {
    if (*last == 0) return {.kind = Kind::unsatisfiable};
    if (size == 0) return {};
    from = *last > size ? 0 : size - *last;
  } else if (first && (last || open)) {
    if (last && *last < *first) return {};
    from = *first;
    if (last && *last + 1 < to) to = *last + 1;
    if (from >= size) return {.kind = Kind::unsatisfiable};
  } else {
    return {};
  }
  return {.kind = Kind::part,
          .range = {static_cast<std::uint64_t>(from), static_cast<std::uint64_t>(to - from)}};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = archway::fuzz::text_of(data, size);
  for (const std::uint64_t whole : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1000},
                                    std::numeric_limits<std::uint64_t>::max()}) {
    const auto read = archway::resolver::read_range(text, whole);
    const auto second = second_reading(text, whole);
    must(read.kind == second.kind && read.range == second.range, "two readers agree on a range");
    if (read.kind != Kind::part) continue;
    must(read.range.length > 0 && read.range.offset < whole, "a part is not empty");
    must(read.range.length <= whole - read.range.offset, "a part lies within its object");
    const auto open = archway::resolver::open_range_offset(text);
    must(!open || (*open == read.range.offset && read.range.length == whole - *open),
         "an open range goes to the end");
  }
  return 0;
}
