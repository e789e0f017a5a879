#include "proxy/command/manifest_remove.hpp"

#include "proxy/command/manifest_draft_store.hpp"

#include <CLI/App.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <memory>

namespace archway::proxy {
namespace {

constexpr const char* command_name = "manifest rm";

Result<void> remove(const DraftStore& store, const std::string& text) {
  const auto target = parse_target(text);
  if (!target) return target.error();
  return store.remove(*target);
}

}  // namespace

int manifest_remove(const RemoveOptions& options, const Surroundings& surroundings) {
  const auto store = DraftStore::of_user(surroundings.environment);
  if (!store) return report(surroundings, command_name, store.error());
  boost::json::array removed;
  int code = exits::ok;
  for (const auto& text : options.targets) {
    const auto done = remove(*store, text);
    if (done) {
      removed.emplace_back(text);
    } else {
      code = report(surroundings, command_name, done.error());
    }
  }
  if (options.output.json) {
    boost::json::object said;
    said["removed"] = removed;
    surroundings.out << boost::json::serialize(said) << "\n";
  }
  return code != exits::ok && !removed.empty() ? exits::partly : code;
}

void add_manifest_remove(CLI::App& manifest, Commands& commands) {
  auto* const command = manifest.add_subcommand("rm", "Drop drafts of indexes");
  const auto options = std::make_shared<RemoveOptions>();
  command->add_option("TARGET", options->targets, "The names of the indexes")
      ->type_name("")
      ->required();
  add_output_options(*command, options->output);
  commands.push_back({.app = command, .run = [options](const Surroundings& surroundings) {
                        return manifest_remove(*options, surroundings);
                      }});
}

}  // namespace archway::proxy
