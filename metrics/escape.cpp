#include "metrics/escape.hpp"

#include <cstddef>
#include <cstdint>

namespace archway::metrics {
namespace {

/// One character of a text: a code point, or a byte that belongs to none.
struct Character {
  char32_t code = 0;
  std::size_t bytes = 1;
  bool valid = true;
};

/// The UTF-8 sequence at the start of `text`, which is not empty.
///
/// Source: RFC 3629, section 4: no overlong forms, no surrogates, nothing past U+10FFFF.
Character first_character(std::string_view text) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t lead = byte(0);
  if (lead < 0x80) return {lead, 1, true};
  std::size_t length = 0;
  if (lead >= 0xc2 && lead <= 0xdf) length = 2;
  if (lead >= 0xe0 && lead <= 0xef) length = 3;
  if (lead >= 0xf0 && lead <= 0xf4) length = 4;
  if (length == 0 || text.size() < length) return {lead, 1, false};
  char32_t code = lead & (0xffU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0U) != 0x80) return {lead, 1, false};
    code = code << 6 | (byte(i) & 0x3fU);
  }
  const bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
  const bool surrogate = code >= 0xd800 && code <= 0xdfff;
  if (overlong || surrogate || code > 0x10ffff) return {lead, 1, false};
  return {code, length, true};
}

/// Characters that act on a terminal or on the order of a line instead of being seen.
bool is_hidden(char32_t code) noexcept {
  return code < 0x20 || (code >= 0x7f && code <= 0x9f) || code == 0x200e || code == 0x200f ||
         (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069) || code == 0xfeff;
}

void append_hex(std::string& line, char32_t value, int digits) {
  constexpr std::string_view hex = "0123456789abcdef";
  for (int shift = (digits - 1) * 4; shift >= 0; shift -= 4) {
    line += hex[static_cast<std::size_t>(value >> shift & 0xfU)];
  }
}

void append_escaped(std::string& line, std::string_view text, std::string_view byte_escape) {
  while (!text.empty()) {
    const Character character = first_character(text);
    if (!character.valid) {
      line += byte_escape;
      append_hex(line, character.code, 2);
    } else if (character.code == '"' || character.code == '\\') {
      line += '\\';
      line += text[0];
    } else if (character.code == '\n') {
      line += "\\n";
    } else if (character.code == '\r') {
      line += "\\r";
    } else if (character.code == '\t') {
      line += "\\t";
    } else if (is_hidden(character.code)) {
      line += "\\u";
      append_hex(line, character.code, 4);
    } else {
      line += text.substr(0, character.bytes);
    }
    text.remove_prefix(character.bytes);
  }
}

}  // namespace

void append_text_escaped(std::string& line, std::string_view text) {
  append_escaped(line, text, "\\x");
}

void append_json_escaped(std::string& line, std::string_view text) {
  append_escaped(line, text, "\\\\x");
}

bool needs_quotes(std::string_view text) noexcept {
  if (text.empty()) return true;
  while (!text.empty()) {
    const Character character = first_character(text);
    const char32_t code = character.code;
    if (!character.valid || is_hidden(code)) return true;
    if (code == ' ' || code == '=' || code == '"' || code == '\\') return true;
    text.remove_prefix(character.bytes);
  }
  return false;
}

}  // namespace archway::metrics
