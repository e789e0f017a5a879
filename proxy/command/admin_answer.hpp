#pragma once

#include "resolver/model/result.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace archway::proxy {

inline constexpr std::size_t admin_answer_bytes_max = 16 << 20;  ///< of the body

struct AdminAnswer {
  unsigned status = 0;
  std::string body;
  std::string date = {};  ///< its Date field, "" without
};

/// The answer in what has come so far: a status line, fields, and a body by Content-Length, by
/// chunks or until the end. None: more is needed. `ended`: no more will come.
///
/// Errors: Errc::upstream_failed for what is no such answer, is cut short or too large.
///
/// Source: RFC 9112 sections 4, 6 and 7.1.
Result<std::optional<AdminAnswer>> read_admin_answer(std::string_view bytes, bool ended);

}  // namespace archway::proxy
