#pragma once

#include "proxy/command/command_line.hpp"

#include <optional>
#include <string>
#include <vector>

namespace archway::proxy {

/// What `archway serve` takes from the command line; stronger than the file.
struct ServeOptions {
  std::vector<std::string> listen;  ///< in place of all listeners of the file
  std::string cache;                ///< a folder
};

/// Reads the configuration, applies the options and serves.
int serve_with(const ServeOptions& options, const std::optional<std::string>& file,
               const Surroundings& surroundings);

}  // namespace archway::proxy
