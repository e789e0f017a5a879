#pragma once

#include "proxy/command/command_line.hpp"

namespace archway::proxy {

/// `archway version`.
int print_version(const Surroundings& surroundings);

}  // namespace archway::proxy
