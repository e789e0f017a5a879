#pragma once

#include "proxy/command/command_line.hpp"

#include <functional>
#include <vector>

namespace CLI {  // NOLINT(readability-identifier-naming): its own name
class App;
}

namespace archway::proxy {

/// One command of the program: its description on the command line, and what it does when it was
/// the one given. Its options live as long as `run`.
struct Command {
  CLI::App* app;
  std::function<int(const Surroundings&)> run;
};
using Commands = std::vector<Command>;

/// Each adds its commands below `app`, with their options.
void add_serve(CLI::App& app, Commands& commands);
void add_config(CLI::App& app, Commands& commands);  ///< config check, show, defaults
void add_manifest(CLI::App& app,
                  Commands& commands);  ///< manifest inspect, create, annotate, push, rm
void add_explain(CLI::App& app, Commands& commands);
void add_client_config(CLI::App& app, Commands& commands);
void add_doctor(CLI::App& app, Commands& commands);
void add_warm(CLI::App& app, Commands& commands);
void add_export(CLI::App& app, Commands& commands);
void add_import(CLI::App& app, Commands& commands);
void add_status(CLI::App& app, Commands& commands);
void add_ls(CLI::App& app, Commands& commands);
void add_rm(CLI::App& app, Commands& commands);
void add_pin(CLI::App& app, Commands& commands);
void add_unpin(CLI::App& app, Commands& commands);
void add_upkeep(CLI::App& app, Commands& commands);  ///< verify, gc, rebuild
void add_version(CLI::App& app, Commands& commands);

}  // namespace archway::proxy
