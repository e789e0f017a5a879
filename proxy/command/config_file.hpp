#pragma once

#include "proxy/command/command_line.hpp"

#include <optional>
#include <string>

namespace CLI {  // NOLINT(readability-identifier-naming): its own name
class App;
}

namespace archway::proxy {

/// Adds `-c/--config FILE`.
void add_config_file(CLI::App& command, std::string& file);

/// The file that was named, else the one of the environment's ARCHWAY_CONFIG; none where neither
/// is.
std::optional<std::string> config_file(const std::string& named, const Environment& environment);

}  // namespace archway::proxy
