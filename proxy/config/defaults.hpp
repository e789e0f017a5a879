#pragma once

#include "proxy/config/environment.hpp"
#include "proxy/config/settings.hpp"

#include <cstdint>
#include <string>

namespace archway::proxy {

/// Of the cache's file system, in bytes; where that is smaller than ten times as large, a tenth of
/// it.
inline constexpr std::uint64_t keep_free_default = std::uint64_t{2} << 30;

/// What `archway serve` uses where no configuration says otherwise: port 5000 on every IPv4
/// address, admin on 127.0.0.1:5001, Docker Hub as the default upstream and the other public
/// registries by name. The cache is in `$XDG_CACHE_HOME/archway`, else `$HOME/.cache/archway`; for
/// root, or without a home, in `/var/cache/archway`. It has no size limit of its own but leaves
/// keep_free_default of the file system free.
Settings default_settings(const Environment& environment);

/// What HTTPS_PROXY, HTTP_PROXY and NO_PROXY say, in capitals or not.
resolver::ProxyRules proxies_of(const Environment& environment);

/// An upstream of this name with everything that follows from the name: its URL, and for Docker Hub
/// the host of its tokens. The name must be that of a host (is_upstream_name).
Settings::Upstream upstream_by_name(const std::string& name);

}  // namespace archway::proxy
