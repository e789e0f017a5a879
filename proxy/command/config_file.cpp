#include "proxy/command/config_file.hpp"

#include <CLI/App.hpp>

namespace archway::proxy {

void add_config_file(CLI::App& command, std::string& file) {
  command
      .add_option("-c,--config", file,
                  "The configuration file (else the environment's ARCHWAY_CONFIG)")
      ->type_name("FILE");
}

std::optional<std::string> config_file(const std::string& named, const Environment& environment) {
  if (!named.empty()) return named;
  auto file = environment.variable("ARCHWAY_CONFIG");
  if (file && file->empty()) file.reset();
  return file;
}

}  // namespace archway::proxy
