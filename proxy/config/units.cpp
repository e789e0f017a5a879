#include "proxy/config/units.hpp"

#include "resolver/model/text.hpp"

#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <span>
#include <system_error>

namespace archway::proxy {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
  std::string_view also_meant;  ///< what people write instead, in lower case, blank-separated
};

constexpr std::array<Unit, 5> size_units = {{
    {"B", 1, "b byte bytes"},
    {"KiB", 1ULL << 10, "k kb ki kib"},
    {"MiB", 1ULL << 20, "m mb mi mib"},
    {"GiB", 1ULL << 30, "g gb gi gib"},
    {"TiB", 1ULL << 40, "t tb ti tib"},
}};

/// In milliseconds.
constexpr std::array<Unit, 5> time_units = {{
    {"ms", 1, "ms msec millis milliseconds"},
    {"s", 1000, "s sec secs second seconds"},
    {"m", 60'000, "m min mins minute minutes"},
    {"h", 3'600'000, "h hr hrs hour hours"},
    {"d", 86'400'000, "d day days"},
}};

struct Measure {
  std::span<const Unit> units;
  std::string_view allowed;
  std::string_view usual_unit;  ///< for the example when none was given
};

constexpr Measure size_measure = {
    size_units, "a whole number and one of B, KiB, MiB, GiB, TiB, such as 50GiB", "GiB"};
constexpr Measure time_measure = {time_units,
                                  "a whole number and one of ms, s, m, h, d, such as 25s", "s"};

Error invalid(const Measure& measure, const std::string& meant) {
  std::string message(measure.allowed);
  if (!meant.empty()) message += "; did you mean " + meant + "?";
  return {.code = Errc::configuration_invalid,
          .origin = Origin::configuration,
          .message = std::move(message)};
}

/// The unit that someone who wrote `word` had in mind; "" when nobody knows.
std::string_view meant_unit(const Measure& measure, std::string_view word) {
  if (word.empty()) return measure.usual_unit;
  const std::string wanted = " " + lower(word) + " ";
  for (const Unit& unit : measure.units) {
    if ((" " + std::string(unit.also_meant) + " ").find(wanted) != std::string::npos) {
      return unit.name;
    }
  }
  return "";
}

Result<std::uint64_t> parse(const Measure& measure, std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const auto digits = static_cast<std::size_t>(end - text.data());
  if (digits == 0) return invalid(measure, "");
  const std::string_view digits_text = text.substr(0, digits);
  std::string_view word = text.substr(digits);
  if (word.starts_with(' ')) word.remove_prefix(1);
  if (word.empty() && digits_text == "0") return 0;
  for (const Unit& unit : measure.units) {
    if (unit.name != word) continue;
    if (error != std::errc() || number > std::numeric_limits<std::int64_t>::max() / unit.factor) {
      return invalid(measure, "");
    }
    return number * unit.factor;
  }
  const std::string_view meant = meant_unit(measure, word);
  return invalid(measure, meant.empty() ? "" : std::string(digits_text) + std::string(meant));
}

std::string text_of(const Measure& measure, std::uint64_t value) {
  if (value == 0) return "0";
  const Unit* best = &measure.units.front();
  for (const Unit& unit : measure.units) {
    if (value % unit.factor == 0) best = &unit;
  }
  return std::to_string(value / best->factor) + std::string(best->name);
}

}  // namespace

Result<std::uint64_t> parse_size(std::string_view text) {
  return parse(size_measure, text);
}

std::string size_text(std::uint64_t bytes) {
  return text_of(size_measure, bytes);
}

Result<std::chrono::milliseconds> parse_time(std::string_view text) {
  const auto number = parse(time_measure, text);
  if (!number) return number.error();
  return std::chrono::milliseconds(static_cast<std::int64_t>(*number));
}

std::string time_text(std::chrono::milliseconds time) {
  return text_of(time_measure, static_cast<std::uint64_t>(time.count()));
}

}  // namespace archway::proxy
