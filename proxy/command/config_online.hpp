#pragma once

#include "proxy/command/command_line.hpp"

namespace archway::proxy {

/// `archway config check --online`: one line for every upstream and every member of a virtual image
/// that is not there; exits::partly when something is missing.
int config_online(const Settings& settings, const Surroundings& surroundings);

}  // namespace archway::proxy
