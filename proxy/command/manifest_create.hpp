#pragma once

#include "proxy/command/command_line.hpp"
#include "proxy/command/commands.hpp"
#include "proxy/command/output.hpp"
#include "proxy/command/session.hpp"

#include <string>
#include <vector>

namespace archway::proxy {

struct CreateOptions {
  std::string target = {};
  std::vector<std::string> sources = {};
  bool amend = false;          ///< add to the draft that is there
  bool virtual_image = false;  ///< let a gateway keep it, see manifest_virtual
  bool strict = false;         ///< of a virtual image: not while a member is missing
  std::string gateway = {};    ///< of a virtual image: HOST:PORT to read platforms through
  std::string admin = {};      ///< of a virtual image: the gateway's admin port
  RegistryOptions registry = {};
  OutputOptions output = {};
};

/// `archway manifest create`: a draft on this machine.
int manifest_create(const CreateOptions& options, const Surroundings& surroundings);

/// The same with a session of the caller's.
int manifest_create(const CreateOptions& options, const Surroundings& surroundings,
                    Session& session);

void add_manifest_create(CLI::App& manifest, Commands& commands);

}  // namespace archway::proxy
