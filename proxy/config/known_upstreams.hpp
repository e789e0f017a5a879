#pragma once

#include <span>
#include <string_view>

namespace archway::proxy {

/// A public registry whose particulars everybody would otherwise have to write down.
struct KnownUpstream {
  std::string_view name;         ///< as in image names
  std::string_view url;          ///< where it really is; "" for https://NAME
  std::string_view aliases;      ///< other names for it in image names, blank-separated
  std::string_view token_realm;  ///< the host that gives out its tokens; "" for its own
  bool adds_library = false;     ///< `alpine` is `library/alpine` there
};

/// The registries that `archway serve` knows without a configuration; the first is the default.
std::span<const KnownUpstream> known_upstreams();

/// nullptr for a name that is none of them.
const KnownUpstream* find_known_upstream(std::string_view name);

}  // namespace archway::proxy
