#pragma once

#include "resolver/model/name.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace archway::resolver {

/// How long a tag's digest is believed without asking, and how long when the upstream fails.
struct TagRules {
  struct Rule {
    std::string match;  ///< a glob over `upstream/repository:tag`, `*` and `[…]` as in fnmatch(3)
    std::chrono::seconds fresh_for;
  };
  std::chrono::seconds fresh_for = std::chrono::minutes(5);
  std::chrono::seconds stale_for = std::chrono::hours(24 * 30);
  std::vector<Rule> rules = {};  ///< the first that matches wins
};

enum class Freshness : std::uint8_t {
  fresh,    ///< serve it
  stale,    ///< ask the upstream first; serve it if that fails
  expired,  ///< ask the upstream; too old to be served without
};

/// `checked_at` and `now` are Unix times in seconds. A tag checked in the future (the clock was set
/// back) is stale, never fresh for ever.
Freshness freshness(const TagRules& rules, const ImageName& image, const Tag& tag,
                    std::int64_t checked_at, std::int64_t now);

}  // namespace archway::resolver
