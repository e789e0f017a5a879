#pragma once

#include "proxy/command/command_line.hpp"
#include "proxy/command/commands.hpp"
#include "proxy/command/output.hpp"
#include "proxy/command/session.hpp"

#include <string>

namespace archway::proxy {

struct PushOptions {
  std::string target = {};
  bool purge = false;        ///< drop the draft once it is pushed
  bool docker_list = false;  ///< a Docker manifest list whatever the entries are
  RegistryOptions registry = {};
  OutputOptions output = {};
};

/// `archway manifest push`: what the target's registry lacks, then the index. When it fails, what
/// was pushed stays: exits::partly.
int manifest_push(const PushOptions& options, const Surroundings& surroundings);

/// The same with a session of the caller's.
int manifest_push(const PushOptions& options, const Surroundings& surroundings, Session& session);

void add_manifest_push(CLI::App& manifest, Commands& commands);

}  // namespace archway::proxy
