#pragma once

#include "resolver/model/platform.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace archway::resolver {

/// What a User-Agent says: the first product, and `os/…` and `arch/…` where both stand there
/// exactly once outside comments. Whatever the text, reading it never fails.
struct UserAgent {
  std::string client;  ///< "docker", "containerd", …; "" when there is none; as the client sent it
  std::string version;  ///< "" when there is none
  /// Not normalised: `arm` has no variant, since nobody says which. See variant_is_missing().
  std::optional<Platform> platform = {};
};

/// Source: RFC 9110 section 10.1.5; moby's pkg/useragent and CRI-O's server/useragent for the
/// words, moby's escaping of `(`, `)`, `;` and `\` within a comment.
UserAgent parse_user_agent(std::string_view text);

/// The platform of a client whose User-Agent is known to speak of the machine it pulls for: dockerd
/// and CRI-O. None for all others, whatever they say.
std::optional<Platform> hinted_platform(const UserAgent& agent);

/// True for `arm` without a variant: it may be v5, v6 or v7, and guessing breaks the slower ones.
bool variant_is_missing(const Platform& platform);

}  // namespace archway::resolver
