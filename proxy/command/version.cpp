#include "proxy/command/version.hpp"

#include "proxy/command/commands.hpp"
#include "proxy/version.hpp"

#include <CLI/App.hpp>

namespace archway::proxy {

int print_version(const Surroundings& surroundings) {
  surroundings.out << "archway " << version << "\n";
  return exits::ok;
}

void add_version(CLI::App& app, Commands& commands) {
  commands.push_back({app.add_subcommand("version", "Print the version"), print_version});
}

}  // namespace archway::proxy
