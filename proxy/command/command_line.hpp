#pragma once

#include "proxy/config/environment.hpp"
#include "proxy/config/settings.hpp"

#include <functional>
#include <ostream>
#include <string>
#include <vector>

namespace archway::proxy {

/// What a program tells the shell.
namespace exits {
inline constexpr int ok = 0;
inline constexpr int failed = 1;
inline constexpr int usage = 2;           ///< the command line makes no sense
inline constexpr int not_found = 3;       ///< what was asked for does not exist
inline constexpr int unreachable = 4;     ///< nobody answers there
inline constexpr int partly = 5;          ///< some of it was done
inline constexpr int configuration = 78;  ///< EX_CONFIG of sysexits.h
}  // namespace exits

/// Serves until it is told to stop; gives back the exit code. `warnings`: what is unwise in the
/// configuration, for the log.
using Serve =
    std::function<int(const Settings& settings, const std::vector<std::string>& warnings)>;

/// Where a command takes what it needs and leaves what it has to say: handed in for tests.
struct Surroundings {
  std::ostream& out;
  std::ostream& err;
  Environment environment;
  Serve serve;
  std::istream* in = nullptr;  ///< standard input; none in tests that do not read it
  bool out_is_terminal = false;
  bool err_is_terminal = false;
};

/// The whole program: reads the command line, runs one command and gives back the exit code. Of
/// what is thrown on the way one line is left on `err`.
int run(int argc, const char* const* argv, const Surroundings& surroundings);

}  // namespace archway::proxy
