#pragma once

#include "resolver/model/name.hpp"
#include "resolver/route.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace archway::resolver {

/// The upstreams that the configuration names: a closed world.
struct UpstreamNames {
  struct Entry {
    std::string name;                       ///< e.g. `ghcr.io`, `registry.lan:5000`
    std::vector<std::string> aliases = {};  ///< other names for it, e.g. `index.docker.io`
    std::vector<std::string> hosts = {};    ///< Host headers (without port) that mean this upstream
    bool adds_library = false;              ///< Docker Hub: `alpine` is `library/alpine`
  };
  std::vector<Entry> entries;
  std::string default_name;  ///< answers for names without a host; "" when there is none
};

/// Which upstream and repository a route means: the name's first part where it is a configured
/// name (or has the look of a host: a dot, a colon or `localhost`), else `?ns=`, else the Host
/// header, else the default.
///
/// Errors: Errc::name_unknown when the upstream is not configured; the message names what was asked
/// and what is configured. Errc::name_invalid for a repository that breaks the grammar.
Result<ImageName> upstream_of(const Route& route, std::string_view host,
                              const UpstreamNames& names);

/// The image that a full name means: `ghcr.io/org/app`, `registry.lan:5000/app`; what stands before
/// the first slash is an upstream's name or another name for it.
///
/// Errors: as upstream_of().
Result<ImageName> image_named(std::string_view full_name, const UpstreamNames& names);

}  // namespace archway::resolver
