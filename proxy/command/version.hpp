#pragma once

#include "proxy/command/command_line.hpp"

namespace archway::proxy {

/// `archway version`.
int print_version(const Surroundings& surroundings, bool as_json = false);

}  // namespace archway::proxy
