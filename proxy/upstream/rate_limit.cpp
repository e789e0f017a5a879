#include "proxy/upstream/rate_limit.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>

namespace archway::proxy {
namespace {

// What nobody means, and what adds up without overflow.
constexpr std::uint64_t number_max = 1'000'000'000;
constexpr std::uint64_t window_max_s = 7 * 24 * 3600;

struct Said {
  std::uint64_t number = 0;
  std::uint64_t window_s = 0;
};

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return std::min(value, number_max);
}

std::optional<Said> read(std::string_view text) {
  const auto end = text.find(';');
  const auto value = number(text.substr(0, end));
  if (!value) return std::nullopt;
  Said said{.number = *value};
  if (end == std::string_view::npos) return said;
  auto parameter = text.substr(end + 1);
  while (parameter.starts_with(' ')) parameter.remove_prefix(1);
  if (parameter.starts_with("w=")) {
    const auto window = number(parameter.substr(2, parameter.find(';') - 2));
    if (window) said.window_s = std::min(*window, window_max_s);
  }
  return said;
}

}  // namespace

std::optional<RateLimit> read_rate_limit(const Fields& fields) {
  const auto limit = read(fields.find("ratelimit-limit"));
  const auto remaining = read(fields.find("ratelimit-remaining"));
  if (!limit || !remaining) return std::nullopt;
  return RateLimit{.limit = limit->number,
                   .remaining = remaining->number,
                   .window = std::chrono::seconds(std::max(limit->window_s, remaining->window_s))};
}

}  // namespace archway::proxy
