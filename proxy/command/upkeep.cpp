#include "cache/commit.hpp"
#include "cache/index_file.hpp"
#include "cache/lock_file.hpp"
#include "cache/paths.hpp"
#include "proxy/command/commands.hpp"
#include "proxy/command/held_cache.hpp"
#include "proxy/command/json_text.hpp"

#include <CLI/App.hpp>
#include <ctime>
#include <fcntl.h>
#include <filesystem>
#include <memory>
#include <ostream>
#include <system_error>
#include <utility>

namespace archway::proxy {
namespace {

namespace fs = std::filesystem;

void print(const boost::json::object& found, std::ostream& out) {
  const auto line = [&](const char* name, const char* what) {
    if (number_in(found, name) > 0) out << number_in(found, name) << " " << what << "\n";
  };
  line("damaged", "damaged: the bytes are not what they should be; moved to quarantine");
  line("missing", "missing: the index knew them, there is no file; forgotten");
  line("unknown", "unknown: right files that the index did not know; it does now");
  line("records_damaged", "damaged entries of the index; removed");
  if (!flag_in(found, "sums_right")) out << "the index's sums were wrong\n";
  if (flag_in(found, "stopped")) out << "stopped before the end\n";
  out << number_in(found, "blobs") << " blobs right, " << human_size(number_in(found, "bytes"))
      << "\n";
}

int verify(const char* name, HeldCache& held, const HeldOptions& options,
           const Surroundings& surroundings, bool expects_unknown) {
  Result<boost::json::object> found = boost::json::object();
  {
    Progress line(surroundings, options.output);
    found = held.verify(show_progress(name, surroundings, &line, options.output));
  }
  if (!found) return report(surroundings, name, found.error());
  if (options.output.json) {
    surroundings.out << pretty_json(*found);
  } else if (!options.output.quiet) {
    print(*found, surroundings.out);
  }
  const bool lost = number_in(*found, "damaged") > 0 || flag_in(*found, "stopped");
  return (expects_unknown ? !lost : flag_in(*found, "right")) ? exits::ok : exits::failed;
}

int verify(const HeldOptions& options, const Surroundings& surroundings) {
  const auto held = HeldCache::find(options.gateway, surroundings.environment);
  if (!held) return report(surroundings, "verify", held.error());
  return verify("verify", **held, options, surroundings, false);
}

int collect(const HeldOptions& options, const Surroundings& surroundings) {
  const auto held = HeldCache::find(options.gateway, surroundings.environment);
  if (!held) return report(surroundings, "gc", held.error());
  const auto freed = (*held)->collect();
  if (!freed) return report(surroundings, "gc", freed.error());
  if (options.output.json) {
    surroundings.out << pretty_json(*freed);
  } else if (!options.output.quiet) {
    surroundings.out << "freed " << human_size(number_in(*freed, "bytes")) << ": "
                     << counted(number_in(*freed, "blobs"), "blob") << ", "
                     << counted(number_in(*freed, "manifests"), "manifest") << ", "
                     << counted(number_in(*freed, "quarantined"), "quarantined file") << "\n";
  }
  return exits::ok;
}

Error unmovable(const fs::path& path, const std::error_code& error) {
  return {.code = Errc::storage_failed,
          .origin = Origin::storage,
          .message = path.string() + " cannot be set aside: " + error.message()};
}

/// What only the index knows, because somebody said it: as far as it can be read.
cache::Changes said_by_operators(const fs::path& folder) {
  constexpr std::size_t all = 1'000'000;
  const auto index = cache::make_index(cache::open_index_file_read_only(folder));
  return {.images = index->all_images(all), .pins = index->all_pins(all)};
}

/// The index of a directory that nobody holds gets another name, its snapshot goes, and a new one
/// is begun with what operators had said.
Result<void> begin_index_anew(const fs::path& directory) {
  const cache::FileHandle root(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const auto lock = cache::lock_directory(root, directory);
  if (!lock) return lock.error();
  const auto folder = directory / cache::paths::index;
  auto said = said_by_operators(folder);
  std::error_code error;
  fs::rename(folder / cache::paths::index_data,
             folder / cache::paths::bad_index(std::time(nullptr)), error);
  if (error && error != std::errc::no_such_file_or_directory) {
    return unmovable(folder / cache::paths::index_data, error);
  }
  fs::remove(folder / cache::paths::index_snapshot, error);
  if (error) return unmovable(folder / cache::paths::index_snapshot, error);
  const auto index = cache::Index::open(folder);
  if (!index) return index.error();
  return cache::commit_and_wait(**index, std::move(said));
}

int rebuild(const HeldOptions& options, const Surroundings& surroundings) {
  auto held = HeldCache::find(options.gateway, surroundings.environment);
  if (!held) return report(surroundings, "rebuild", held.error());
  if (!(*held)->is_served()) {
    held->reset();  // It gives the directory free.
    const auto settings = gateway_settings(options.gateway, surroundings.environment);
    if (!settings) return report(surroundings, "rebuild", settings.error());
    const auto begun = begin_index_anew(settings->cache.directory);
    if (!begun) return report(surroundings, "rebuild", begun.error());
    held = HeldCache::find(options.gateway, surroundings.environment);
    if (!held) return report(surroundings, "rebuild", held.error());
  }
  return verify("rebuild", **held, options, surroundings, true);
}

template <class Run>
void add(CLI::App& app, Commands& commands, const char* name, const char* description, Run run) {
  auto* const command = app.add_subcommand(name, description);
  const auto options = std::make_shared<HeldOptions>();
  add_held_options(*command, *options);
  commands.push_back({.app = command, .run = [options, run](const Surroundings& surroundings) {
                        return run(*options, surroundings);
                      }});
}

}  // namespace

void add_upkeep(CLI::App& app, Commands& commands) {
  add(app, commands, "verify", "Hash every blob, and compare files and index",
      [](const HeldOptions& options, const Surroundings& surroundings) {
        return verify(options, surroundings);
      });
  add(app, commands, "gc", "Bring the cache within its limits, and remove what has no use",
      [](const HeldOptions& options, const Surroundings& surroundings) {
        return collect(options, surroundings);
      });
  add(app, commands, "rebuild",
      "Make the index anew from the files (of a running gateway: put it right); tags and "
      "manifests are fetched again when somebody asks, pins and virtual images stay",
      [](const HeldOptions& options, const Surroundings& surroundings) {
        return rebuild(options, surroundings);
      });
}

}  // namespace archway::proxy
