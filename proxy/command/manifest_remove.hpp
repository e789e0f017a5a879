#pragma once

#include "proxy/command/command_line.hpp"
#include "proxy/command/commands.hpp"
#include "proxy/command/output.hpp"

#include <string>
#include <vector>

namespace archway::proxy {

struct RemoveOptions {
  std::vector<std::string> targets = {};
  OutputOptions output = {};
};

/// `archway manifest rm`: drops drafts. Where some are not there the others are dropped all the
/// same: exits::partly.
int manifest_remove(const RemoveOptions& options, const Surroundings& surroundings);

void add_manifest_remove(CLI::App& manifest, Commands& commands);

}  // namespace archway::proxy
