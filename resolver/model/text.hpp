#pragma once

#include <string>
#include <string_view>

namespace archway {

/// An ASCII letter in lower case, all else as it is; no locale has a say in a protocol's words.
constexpr char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// As above, for each character.
inline std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = lower(c);
  return result;
}

/// Without what stands before and behind it of `blanks`: space and tab, as HTTP has it.
///
/// Source: RFC 9110, 5.6.3 (optional whitespace).
inline std::string_view trimmed(std::string_view text, std::string_view blanks = " \t") {
  const auto first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

}  // namespace archway
