#pragma once

#include "proxy/command/command_line.hpp"
#include "proxy/command/commands.hpp"
#include "proxy/command/manifest_draft.hpp"
#include "proxy/command/output.hpp"
#include "proxy/command/session.hpp"

#include <string>

namespace archway::proxy {

struct AnnotateOptions {
  std::string target = {};
  std::string source = {};
  Annotation annotation = {};
  std::string os_features = {};  ///< with commas between
  RegistryOptions registry = {};
  OutputOptions output = {};
};

/// `archway manifest annotate`: states the platform of an entry of a draft.
int manifest_annotate(const AnnotateOptions& options, const Surroundings& surroundings);

void add_manifest_annotate(CLI::App& manifest, Commands& commands);

}  // namespace archway::proxy
