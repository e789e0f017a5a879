#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace archway {

/// Foreign text for a message, in quotes: cut to `bytes_max`, and without what could upset a
/// terminal or is no text at all.
inline std::string shown(std::string_view text, std::size_t bytes_max) {
  std::string result = "\"" + std::string(text.substr(0, bytes_max)) + "\"";
  for (auto& c : result) {
    if (c < 0x20 || c > 0x7e) c = '?';
  }
  return result;
}

}  // namespace archway
