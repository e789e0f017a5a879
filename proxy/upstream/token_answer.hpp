#pragma once

#include "resolver/model/result.hpp"

#include <chrono>
#include <cstddef>
#include <string>

namespace archway::proxy {

inline constexpr std::size_t token_answer_bytes_max = 64 * 1024;
inline constexpr std::size_t token_bytes_max = 16 * 1024;
inline constexpr std::chrono::seconds token_valid_default{60};  ///< where the service says nothing
inline constexpr std::chrono::seconds token_valid_max{3600};

/// What a token service said. Errors: Errc::upstream_failed.
struct Token {
  std::string value;
  std::chrono::seconds valid_for;
};
Result<Token> read_token(const std::string& json);

}  // namespace archway::proxy
