#include "proxy/command/commands.hpp"
#include "proxy/command/held_cache.hpp"
#include "proxy/command/json_text.hpp"

#include <CLI/App.hpp>
#include <filesystem>
#include <memory>
#include <ostream>
#include <system_error>

namespace archway::proxy {
namespace {

constexpr const char* command_name = "import";

struct ImportOptions {
  HeldOptions held;
  std::string folder;
  std::string as;
};

void print(const boost::json::object& imported, std::ostream& out) {
  for (const auto& each : list_in(imported, "images")) {
    if (!each.is_object()) continue;
    const auto& image = each.get_object();
    out << text_in(image, "name") << ": " << counted(number_in(image, "manifests"), "manifest")
        << ", " << counted(number_in(image, "blobs"), "blob");
    std::string absent;
    for (const auto& text : texts_in(image, "absent"))
      absent += (absent.empty() ? "" : ", ") + text;
    out << (absent.empty() ? "" : "; not in the folder: " + absent) << "\n";
  }
  out << human_size(number_in(imported, "bytes")) << " that the cache did not have\n";
}

int import(const ImportOptions& options, const Surroundings& surroundings) {
  std::error_code error;
  const auto folder = std::filesystem::absolute(options.folder, error);
  if (error || !std::filesystem::is_directory(folder, error)) {
    surroundings.err << "archway import: " << options.folder << " is no folder\n";
    return exits::usage;
  }
  const auto held = HeldCache::find(options.held.gateway, surroundings.environment);
  if (!held) return report(surroundings, command_name, held.error());
  Result<boost::json::object> imported = boost::json::object();
  {
    Progress line(surroundings, options.held.output);
    imported =
        (*held)->import(folder.lexically_normal().string(), options.as,
                        show_progress(command_name, surroundings, &line, options.held.output));
  }
  if (!imported) return report(surroundings, command_name, imported.error());
  if (options.held.output.json) {
    surroundings.out << pretty_json(*imported);
  } else if (!options.held.output.quiet) {
    print(*imported, surroundings.out);
  }
  return exits::ok;
}

}  // namespace

void add_import(CLI::App& app, Commands& commands) {
  auto* const command = app.add_subcommand(
      "import", "Put the images of a folder (an OCI image layout) into the cache, verified");
  const auto options = std::make_shared<ImportOptions>();
  command
      ->add_option("FOLDER", options->folder,
                   "A running gateway reads it by itself, on its machine")
      ->type_name("")
      ->required();
  command->add_option("--as", options->as, "The name of the one image in it, with its tag")
      ->type_name("NAME");
  add_held_options(*command, options->held);
  commands.push_back({.app = command, .run = [options](const Surroundings& surroundings) {
                        return import(*options, surroundings);
                      }});
}

}  // namespace archway::proxy
