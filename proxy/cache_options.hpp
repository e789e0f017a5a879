#pragma once

#include "cache/cache.hpp"
#include "proxy/config/settings.hpp"

namespace archway::proxy {

/// How the cache is opened by these settings, by the gateway and by whoever works on its directory
/// while none runs. What it contains works on copies: it may outlive the settings.
cache::Options cache_options(const Settings& settings);

}  // namespace archway::proxy
