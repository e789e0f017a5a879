#pragma once

#include "proxy/command/command_line.hpp"
#include "tests/proxy/config/reading.hpp"

#include <optional>
#include <sstream>
#include <string>
#include <vector>

namespace archway::proxy {

/// What a run of the program left behind.
struct Ran {
  int code = -1;
  std::string out;
  std::string err;
  std::optional<Settings> served = {};  ///< what it would have served with
  std::vector<std::string> warnings = {};
};

/// Runs the program with these arguments; `serve` notes what it was given and gives back 7.
inline Ran run_with(const std::vector<std::string>& arguments,
                    const std::optional<std::string>& config_variable = std::nullopt) {
  std::vector<const char*> argv = {"archway"};
  for (const std::string& argument : arguments) argv.push_back(argument.c_str());
  Environment environment = environment_of_test();
  const auto others = environment.variable;
  environment.variable = [&](const std::string& name) {
    return name == "ARCHWAY_CONFIG" ? config_variable : others(name);
  };
  Ran ran;
  std::ostringstream out;
  std::ostringstream err;
  const Serve serve = [&](const Settings& settings, const std::vector<std::string>& warnings) {
    ran.served = settings;
    ran.warnings = warnings;
    return 7;
  };
  ran.code = run(static_cast<int>(argv.size()), argv.data(), {out, err, environment, serve});
  ran.out = out.str();
  ran.err = err.str();
  return ran;
}

}  // namespace archway::proxy
