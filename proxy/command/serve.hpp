#pragma once

#include "proxy/config/settings.hpp"

#include <string>
#include <vector>

namespace archway::proxy {

/// Runs the gateway until SIGTERM or SIGINT; SIGHUP reads the certificates again. Gives back the
/// exit code: 0 after a drain, 69 when an address is taken, 75 when another process holds the
/// cache, 78 when a setting cannot be used, 1 otherwise. `notes` are warnings about the
/// configuration, logged once the log exists.
int serve(Settings settings, const std::vector<std::string>& notes);

}  // namespace archway::proxy
