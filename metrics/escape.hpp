#pragma once

#include <string>
#include <string_view>

namespace archway::metrics {

/// Appends `text` so that it cannot end, colour or reorder a log line: control characters (also
/// U+007F to U+009F), line separators and direction marks as `\n`, `\t`, `\r` or `\u009b`, bytes
/// that are no UTF-8 as `\xff`, backslash and quote with a backslash.
void append_text_escaped(std::string& line, std::string_view text);

/// Appends `text` as the inside of a JSON string. Bytes that are no UTF-8 become the four
/// characters `\xff`, because JSON has no form for them.
///
/// Source: RFC 8259, section 7.
void append_json_escaped(std::string& line, std::string_view text);

/// True when a value must stand in quotes to be read back: empty, or with a space, `=`, a quote or
/// anything that needs an escape.
bool needs_quotes(std::string_view text) noexcept;

}  // namespace archway::metrics
