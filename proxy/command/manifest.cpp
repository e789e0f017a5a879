#include "proxy/command/commands.hpp"
#include "proxy/command/manifest_annotate.hpp"
#include "proxy/command/manifest_create.hpp"
#include "proxy/command/manifest_inspect.hpp"
#include "proxy/command/manifest_push.hpp"
#include "proxy/command/manifest_remove.hpp"

#include <CLI/App.hpp>

namespace archway::proxy {

void add_manifest(CLI::App& app, Commands& commands) {
  auto* const manifest =
      app.add_subcommand("manifest", "Look at indexes and make them, as docker manifest does");
  add_manifest_inspect(*manifest, commands);
  add_manifest_create(*manifest, commands);
  add_manifest_annotate(*manifest, commands);
  add_manifest_push(*manifest, commands);
  add_manifest_remove(*manifest, commands);
}

}  // namespace archway::proxy
