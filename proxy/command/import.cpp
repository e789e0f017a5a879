#include "proxy/command/commands.hpp"
#include "proxy/command/held_cache.hpp"
#include "proxy/command/json_text.hpp"
#include "proxy/command/tar_file.hpp"

#include <CLI/App.hpp>
#include <filesystem>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <system_error>
#include <unistd.h>
#include <utility>

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

/// The files of a tar, in a folder beside it for as long as this lives: a running gateway reads
/// them there.
class Unpacked {
 public:
  explicit Unpacked(std::filesystem::path folder) : folder_(std::move(folder)) {}
  Unpacked(const Unpacked&) = delete;
  Unpacked& operator=(const Unpacked&) = delete;
  ~Unpacked() {
    std::error_code error;
    if (made_) std::filesystem::remove_all(folder_, error);
  }

  Result<void> fill_from(const std::filesystem::path& tar) {
    std::error_code error;
    made_ = std::filesystem::create_directory(folder_, error);
    if (!made_) {
      return Error{.code = Errc::storage_failed,
                   .message = folder_.string() + ", where its files would go for a while, " +
                              (error ? "cannot be made: " + error.message() : "is there already")};
    }
    return unpack_tar(tar, folder_);
  }

 private:
  std::filesystem::path folder_;
  bool made_ = false;
};

int import(const ImportOptions& options, const Surroundings& surroundings) {
  std::error_code error;
  auto folder = std::filesystem::absolute(options.folder, error);
  std::optional<Unpacked> unpacked;
  if (!error && std::filesystem::is_regular_file(folder, error)) {
    const auto tar =
        std::exchange(folder, folder.string() + ".import-" + std::to_string(::getpid()));
    unpacked.emplace(folder);
    if (const auto filled = unpacked->fill_from(tar); !filled) {
      return report(surroundings, command_name, filled.error());
    }
  }
  if (error || !std::filesystem::is_directory(folder, error)) {
    surroundings.err << "archway import: " << options.folder << " is no folder and no tar file\n";
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
      "import",
      "Put the images of a folder or a tar file (an OCI image layout) into the cache, verified");
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
