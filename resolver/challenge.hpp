#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace archway::resolver {

inline constexpr std::size_t challenge_bytes_max = 16 * 1024;  ///< all lines together
inline constexpr std::size_t challenges_max = 16;
inline constexpr std::size_t challenge_parameters_max = 32;  ///< of one challenge

/// What a registry asks for before it answers.
struct Challenge {
  enum class Scheme : std::uint8_t { basic, bearer };

  Scheme scheme = Scheme::basic;
  std::string realm = {};  ///< of bearer: the URL where tokens are had, unchecked
  std::string service = {};
  std::string scope = {};
  std::string error = {};  ///< e.g. "invalid_token": why the token that was sent is not good
};

/// The Basic and Bearer challenges of all `WWW-Authenticate` lines, in their order; other schemes
/// are passed over. A line that breaks the grammar is read up to the challenge that breaks it: half
/// a challenge is none. A parameter said twice makes its challenge worthless. More than the bounds
/// above: nothing at all.
///
/// Source: RFC 9110 section 11.6.1; the parameters are those of the CNCF distribution project's
/// token specification.
std::vector<Challenge> read_challenges(const std::vector<std::string_view>& lines);

/// The challenge to answer: the first Bearer that has a realm, else the first Basic.
std::optional<Challenge> to_answer(const std::vector<Challenge>& challenges);

}  // namespace archway::resolver
