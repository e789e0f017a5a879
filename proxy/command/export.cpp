#include "proxy/command/commands.hpp"
#include "proxy/command/json_text.hpp"
#include "proxy/command/oci_layout.hpp"
#include "proxy/command/pull_many.hpp"
#include "proxy/command/pull_progress.hpp"
#include "proxy/command/tar_file.hpp"

#include <CLI/App.hpp>
#include <algorithm>
#include <filesystem>
#include <memory>
#include <ostream>
#include <system_error>
#include <unordered_set>
#include <utility>

namespace archway::proxy {
namespace {

constexpr const char* command_name = "export";

struct ExportOptions {
  PullManyOptions many;
  std::string to;
};

/// Where the layout is made.
struct Place {
  std::filesystem::path folder;
  bool is_tar = false;
};

/// A tar file is made of a folder beside it; should the run be cut short, the next one finds there
/// what has arrived.
Place place_of(const std::string& to) {
  std::error_code error;
  if (!to.ends_with(".tar") || std::filesystem::is_directory(to, error)) return {.folder = to};
  return {.folder = to + ".unpacked", .is_tar = true};
}

Result<void> pack(const std::filesystem::path& folder, const std::string& tar) {
  const auto packed = pack_tar(folder, tar);
  std::error_code error;
  if (packed) std::filesystem::remove_all(folder, error);
  return packed;
}

/// Manifests and the name of an image whose blobs are all there.
Result<void> write_down(OciLayout& layout, const PulledImage& image) {
  for (const auto& manifest : image.below) {
    const auto put = layout.put(manifest.digest, manifest.bytes);
    if (!put) return put;
  }
  const auto put = layout.put(image.top.digest, image.top.bytes);
  if (!put) return put;
  layout.name(image.name.image, image.top.media_type, image.top.digest, image.top.bytes.size());
  return {};
}

/// Names only what is whole: a folder never promises what it does not hold.
Result<void> write_whole_ones(OciLayout& layout, std::vector<PullTask>& tasks) {
  for (auto& task : tasks) {
    if (!task.image || task.error) continue;
    const auto written = write_down(layout, *task.image);
    if (!written) task.error = written.error();
  }
  return layout.save();
}

/// Blobs that an earlier run left, by their bytes.
std::unordered_set<Digest> held_of(const OciLayout& layout, const std::vector<PullTask>& tasks) {
  std::unordered_set<Digest> held;
  for (const auto& task : tasks) {
    if (!task.image) continue;
    for (const auto& blob : task.image->blobs) {
      if (held.count(blob.digest) == 0 && layout.has(blob)) held.insert(blob.digest);
    }
  }
  return held;
}

int export_images(const ExportOptions& options, const Surroundings& surroundings) {
  const auto& many = options.many;
  const auto fail = [&](const Error& error) {
    return report(surroundings, command_name, error, many.pull.registry.debug);
  };
  const auto platforms = wanted_platforms(many.platforms);
  if (!platforms) {
    fail(platforms.error());
    return exits::usage;
  }
  auto pull = open_pull(many.pull, surroundings);
  if (!pull) return fail(pull.error());
  const auto place = place_of(options.to);
  auto layout = OciLayout::open(place.folder);
  if (!layout) return fail(layout.error());
  auto tasks = look_up_all(*pull, many.images, *platforms, many.at_once);
  const auto held = held_of(*layout, tasks);
  auto transfers =
      transfers_of(tasks, [&](const Digest& digest) { return held.count(digest) > 0; });
  {
    PullProgress progress("archway export", surroundings, many.output, &transfers);
    const Transfers job{.registry = pull->registry,
                        .all = &transfers,
                        .at_once = many.at_once,
                        .make = [&](const Descriptor& blob) { return layout->taker(blob.digest); },
                        .moved = [&] { progress.moved(); }};
    const auto ran = pull->session->run(bring_all(&job));
    if (!ran) return fail(ran.error());
  }
  settle(tasks, transfers);
  const auto written = write_whole_ones(*layout, tasks);
  if (!written) return fail(written.error());
  const bool whole =
      std::none_of(tasks.begin(), tasks.end(), [](const PullTask& task) { return !!task.error; });
  if (place.is_tar && !whole) {
    surroundings.err << "archway export: " << options.to
                     << " is not made; the same command goes on with what has arrived\n";
  }
  const auto packed = place.is_tar && whole ? pack(place.folder, options.to) : Result<void>{};
  if (!packed) return fail(packed.error());
  if (many.output.json) {
    surroundings.out << pretty_json(tasks_json(tasks));
  } else if (!many.output.quiet) {
    surroundings.out << tasks_table(tasks, surroundings.out_is_terminal);
  }
  const int code = report_failures(command_name, tasks, surroundings, many.output);
  const auto where = place.is_tar && !whole ? place.folder.string() : options.to;
  say_what_was_done(command_name, tasks, transfers, where, surroundings, many.output);
  return code;
}

}  // namespace

void add_export(CLI::App& app, Commands& commands) {
  auto* const command = app.add_subcommand("export",
                                           "Write images into a folder or a .tar file (an OCI "
                                           "image layout), for a place without a network");
  const auto options = std::make_shared<ExportOptions>();
  command
      ->add_option("FOLDER", options->to,
                   "Is made, or added to; a name that ends with .tar is one file, made anew")
      ->type_name("")
      ->required();
  command->add_option("IMAGE", options->many.images, "Images, by tag or digest")
      ->type_name("")
      ->required();
  add_pull_many_options(*command, options->many);
  commands.push_back({.app = command, .run = [options](const Surroundings& surroundings) {
                        return export_images(*options, surroundings);
                      }});
}

}  // namespace archway::proxy
