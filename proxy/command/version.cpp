#include "proxy/command/version.hpp"

#include "proxy/command/commands.hpp"
#include "proxy/command/output.hpp"
#include "proxy/version.hpp"

#include <CLI/App.hpp>
#include <memory>

namespace archway::proxy {

int print_version(const Surroundings& surroundings, bool as_json) {
  if (as_json) {
    surroundings.out << "{\"name\":\"archway\",\"version\":\"" << version << "\"}\n";
    return exits::ok;
  }
  surroundings.out << "archway " << version << "\n";
  return exits::ok;
}

void add_version(CLI::App& app, Commands& commands) {
  const auto output = std::make_shared<OutputOptions>();
  CLI::App* command = app.add_subcommand("version", "Print the version");
  add_output_options(*command, *output);
  commands.push_back({command, [output](const Surroundings& surroundings) {
                        return print_version(surroundings, output->json);
                      }});
}

}  // namespace archway::proxy
