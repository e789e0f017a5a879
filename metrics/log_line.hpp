#pragma once

#include "metrics/log.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace archway::metrics {

/// A line never grows past this, newline included: a pipe takes so much in one piece
/// (PIPE_BUF), so lines of two writers never mix.
inline constexpr std::size_t line_bytes_max = 4096;

/// An event before it is text.
struct LogEvent {
  std::chrono::system_clock::time_point time;
  Level level = Level::info;
  std::string_view message;
  const std::vector<Field>& fields;
};

/// The level's word in both forms of a line.
std::string_view name(Level level) noexcept;

/// `2026-05-04T03:02:01.000Z info message key=value key="a value"`, without a newline; at most
/// line_bytes_max - 1 bytes: fields that do not fit are left out and counted in `left_out`, after a
/// message that is cut by itself when it alone is too long.
std::string text_line(const LogEvent& event, bool colour);

/// `{"time":"…","level":"info","message":"…","key":"value"}`, bounded in the same way; always a
/// whole JSON object.
std::string json_line(const LogEvent& event);

}  // namespace archway::metrics
