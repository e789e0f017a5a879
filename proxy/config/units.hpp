#pragma once

#include "resolver/model/result.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace archway::proxy {

/// Bytes from `50GiB`: a whole number and one of B, KiB, MiB, GiB, TiB; `0` needs no unit.
///
/// Errors: Errc::configuration_invalid; the message says what is allowed and what was probably
/// meant.
Result<std::uint64_t> parse_size(std::string_view text);
/// The shortest text that parse_size() reads as this many bytes.
std::string size_text(std::uint64_t bytes);

/// A time from `25s`: a whole number and one of ms, s, m, h, d; `0` needs no unit.
///
/// Errors: as parse_size().
Result<std::chrono::milliseconds> parse_time(std::string_view text);
/// The shortest text that parse_time() reads as this time; not for negative ones.
std::string time_text(std::chrono::milliseconds time);

}  // namespace archway::proxy
