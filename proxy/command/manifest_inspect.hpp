#pragma once

#include "proxy/command/command_line.hpp"
#include "proxy/command/commands.hpp"
#include "proxy/command/manifest_cached.hpp"
#include "proxy/command/output.hpp"
#include "proxy/command/session.hpp"

#include <cstddef>
#include <string>

namespace archway::proxy {

inline constexpr std::size_t inspected_entries_max = 64;  ///< whose sizes are looked up

struct InspectOptions {
  std::string image = {};
  std::string platform = {};  ///< "" : the whole index
  std::string gateway = {};   ///< HOST:PORT to ask instead of the image's registry
  std::string admin = {};     ///< where to ask what is cached
  bool raw = false;
  bool verbose = false;
  bool draft = false;  ///< show what `manifest create` has made, not what a registry has
  RegistryOptions registry = {};
  OutputOptions output = {};
};

/// `archway manifest inspect`.
int manifest_inspect(const InspectOptions& options, const Surroundings& surroundings);

/// The same with a session and a gateway of the caller's.
int manifest_inspect(const InspectOptions& options, const Surroundings& surroundings,
                     Session& session, const AskCached& ask_cached);

void add_manifest_inspect(CLI::App& manifest, Commands& commands);

}  // namespace archway::proxy
