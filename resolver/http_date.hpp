#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace archway::resolver {

/// A time as HTTP writes it, `Sun, 06 Nov 1994 08:49:37 GMT`, in Unix seconds. None for anything
/// else; the two obsolete forms are not read, and the day of the week is not compared.
///
/// Source: RFC 9110 section 5.6.7.
std::optional<std::int64_t> parse_http_date(std::string_view text);

}  // namespace archway::resolver
