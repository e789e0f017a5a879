#include "metrics/log_line.hpp"

#include "metrics/escape.hpp"

#include <cmath>
#include <cstdint>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <type_traits>

namespace archway::metrics {
namespace {

/// What a single message or text value may take before it is escaped: what arrives from outside is
/// at most a name or an error text.
constexpr std::size_t value_bytes_max = 1024;
/// Kept back for the note on fields that were left out and for the closing brace.
constexpr std::size_t note_bytes = 32;

/// Source: RFC 3339, section 5.6; always UTC, always milliseconds, so that lines sort as text.
std::string timestamp(std::chrono::system_clock::time_point time) {
  const auto since = time.time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
  const auto milliseconds = std::chrono::floor<std::chrono::milliseconds>(since - seconds);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z",
                     fmt::gmtime(static_cast<std::time_t>(seconds.count())), milliseconds.count());
}

std::string_view colour_of(Level level) noexcept {
  switch (level) {
    case Level::debug: return "\033[2m";
    case Level::info: return "\033[32m";
    case Level::warn: return "\033[33m";
    case Level::error: return "\033[31m";
  }
  return "";
}

/// At most `value_bytes_max` bytes of a text, and the mark that something is missing.
std::string bounded(std::string_view text) {
  if (text.size() <= value_bytes_max) return std::string(text);
  std::size_t end = value_bytes_max;
  // Never within a character: its first half would look like damage.
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80) --end;
  return std::string(text.substr(0, end)) + "...";
}

void append_text_value(std::string& line, const Field& field) {
  std::visit(
      [&](const auto& value) {
        if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::string>) {
          const std::string text = bounded(value);
          const bool quotes = needs_quotes(text);
          if (quotes) line += '"';
          append_text_escaped(line, text);
          if (quotes) line += '"';
        } else {
          fmt::format_to(std::back_inserter(line), "{}", value);
        }
      },
      field.value);
}

void append_json_text(std::string& line, std::string_view text) {
  line += '"';
  append_json_escaped(line, bounded(text));
  line += '"';
}

void append_json_value(std::string& line, const Field& field) {
  std::visit(
      [&](const auto& value) {
        using Value = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<Value, std::string>) {
          append_json_text(line, value);
        } else if constexpr (std::is_same_v<Value, double>) {
          // JSON has no word for these two.
          if (!std::isfinite(value)) {
            line += "null";
          } else {
            fmt::format_to(std::back_inserter(line), "{}", value);
          }
        } else {
          fmt::format_to(std::back_inserter(line), "{}", value);
        }
      },
      field.value);
}

/// Appends each field by `append` while the line stays within its bound; gives back how many did
/// not fit.
template <class Append>
std::size_t append_fields(std::string& line, const std::vector<Field>& fields, Append append) {
  std::size_t left_out = 0;
  for (const Field& field : fields) {
    const std::size_t before = line.size();
    append(field);
    if (line.size() + note_bytes < line_bytes_max) continue;
    line.resize(before);
    ++left_out;
  }
  return left_out;
}

}  // namespace

std::string_view name(Level level) noexcept {
  switch (level) {
    case Level::debug: return "debug";
    case Level::info: return "info";
    case Level::warn: return "warn";
    case Level::error: return "error";
  }
  return "error";
}

std::string text_line(const LogEvent& event, bool colour) {
  std::string line = timestamp(event.time);
  line += ' ';
  if (colour) line += colour_of(event.level);
  line += fmt::format("{:<5}", name(event.level));
  if (colour) line += "\033[0m";
  line += ' ';
  const std::size_t before = line.size();
  append_text_escaped(line, bounded(event.message));
  if (line.size() > line_bytes_max / 2) {  // A message of nothing but escapes.
    line.resize(before);
    append_text_escaped(line, event.message.substr(0, line_bytes_max / 16));
  }
  const std::size_t left_out = append_fields(line, event.fields, [&](const Field& field) {
    line += ' ';
    append_text_escaped(line, field.key);
    line += '=';
    append_text_value(line, field);
  });
  if (left_out != 0) line += fmt::format(" left_out={}", left_out);
  return line;
}

std::string json_line(const LogEvent& event) {
  std::string line = fmt::format(R"({{"time":"{}","level":"{}","message":)", timestamp(event.time),
                                 name(event.level));
  const std::size_t before = line.size();
  append_json_text(line, event.message);
  if (line.size() > line_bytes_max / 2) {  // A message of nothing but escapes.
    line.resize(before);
    append_json_text(line, event.message.substr(0, line_bytes_max / 16));
  }
  const std::size_t left_out = append_fields(line, event.fields, [&](const Field& field) {
    line += ",\"";
    append_json_escaped(line, field.key);
    line += "\":";
    append_json_value(line, field);
  });
  if (left_out != 0) line += fmt::format(R"(,"left_out":{})", left_out);
  line += '}';
  return line;
}

}  // namespace archway::metrics
