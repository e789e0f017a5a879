#pragma once

#include "resolver/model/name.hpp"
#include "resolver/network.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace archway::resolver {

/// What holds for one tag.
struct TagTimes {
  std::chrono::seconds fresh_for = std::chrono::minutes(5);      ///< believed without asking
  std::chrono::seconds stale_for = std::chrono::hours(24 * 30);  ///< served when the upstream fails
  bool serve_deleted = false;  ///< also when it says that the tag is gone, or not for us
};

/// What is said otherwise for some tags.
struct TagChanges {
  std::optional<std::chrono::seconds> fresh_for = {};
  std::optional<std::chrono::seconds> stale_for = {};
  std::optional<bool> serve_deleted = {};
};

/// How long a tag's digest is believed without asking, and how long when the upstream fails.
struct TagRules {
  struct Rule {
    std::string match;  ///< a glob over `upstream/repository:tag`, `*` and `[…]` as in fnmatch(3)
    TagChanges changes;
  };
  std::chrono::seconds fresh_for = TagTimes().fresh_for;
  std::chrono::seconds stale_for = TagTimes().stale_for;
  bool serve_deleted = false;
  std::chrono::seconds absent_for = std::chrono::seconds(10);  ///< that there is none is believed
  std::vector<Network> no_cache_from = {};  ///< whose `Cache-Control: no-cache` is believed
  std::map<std::string, TagChanges> upstreams = {};  ///< by name; rules go before them
  std::vector<Rule> rules = {};                      ///< the first that matches wins
};

TagTimes times_for(const TagRules& rules, const ImageName& image, const Tag& tag);

/// For an upstream that may not be asked much more: fresh for twice as long, up to an hour.
TagTimes spare_upstream(TagTimes times);

enum class Freshness : std::uint8_t {
  fresh,    ///< serve it
  stale,    ///< ask the upstream first; serve it if that fails
  expired,  ///< ask the upstream; too old to be served without
};

/// `checked_at` and `now` are Unix times in seconds. A tag checked in the future (the clock was set
/// back) is stale, never fresh for ever.
Freshness freshness(const TagTimes& times, std::int64_t checked_at, std::int64_t now);

}  // namespace archway::resolver
