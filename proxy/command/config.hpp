#pragma once

#include "proxy/command/command_line.hpp"
#include "proxy/command/output.hpp"

#include <optional>
#include <string>

namespace archway::proxy {

/// `archway config check`: every problem and warning, then `N problems` or `FILE: valid`; `online`:
/// of a valid one also what the upstreams say (config_online.hpp).
int config_check(const std::optional<std::string>& file, bool online, const OutputOptions& output,
                 const Surroundings& surroundings);

/// `archway config show`: the settings in effect, as a configuration; secrets masked.
int config_show(const std::optional<std::string>& file, const OutputOptions& output,
                const Surroundings& surroundings);

/// `archway config defaults`: a configuration with every key, its default and its meaning.
int config_defaults(const Surroundings& surroundings);

}  // namespace archway::proxy
