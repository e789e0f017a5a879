#include "resolver/http_date.hpp"

#include <algorithm>
#include <array>
#include <chrono>

namespace archway::resolver {
namespace {

constexpr std::string_view form = "Sun, 06 Nov 1994 08:49:37 GMT";

/// All of the text as a number without a sign.
std::optional<unsigned> number(std::string_view text) {
  unsigned value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  return value;
}

std::optional<unsigned> month(std::string_view text) {
  constexpr std::array<std::string_view, 12> names = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto* const found = std::find(names.begin(), names.end(), text);
  if (found == names.end()) return std::nullopt;
  return static_cast<unsigned>(found - names.begin()) + 1;
}

}  // namespace

std::optional<std::int64_t> parse_http_date(std::string_view text) {
  using namespace std::chrono;
  if (text.size() != form.size() || !text.ends_with(" GMT")) return std::nullopt;
  for (const std::size_t at : {3U, 4U, 7U, 11U, 16U, 19U, 22U}) {
    if (text[at] != form[at]) return std::nullopt;
  }
  const auto mday = number(text.substr(5, 2));
  const auto mon = month(text.substr(8, 3));
  const auto y = number(text.substr(12, 4));
  const auto h = number(text.substr(17, 2));
  const auto min = number(text.substr(20, 2));
  const auto s = number(text.substr(23, 2));
  if (!mday || !mon || !y || !h || !min || !s) return std::nullopt;
  const year_month_day date(year(static_cast<int>(*y)), std::chrono::month(*mon), day(*mday));
  if (!date.ok() || *h > 23 || *min > 59 || *s > 60) return std::nullopt;
  const auto time = sys_days(date) + hours(*h) + minutes(*min) + seconds(*s);
  return duration_cast<seconds>(time.time_since_epoch()).count();
}

}  // namespace archway::resolver
