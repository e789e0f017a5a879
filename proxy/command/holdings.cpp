#include "proxy/command/commands.hpp"
#include "proxy/command/held_cache.hpp"
#include "proxy/command/json_text.hpp"

#include <CLI/App.hpp>
#include <array>
#include <ctime>
#include <memory>
#include <ostream>
#include <utility>

namespace archway::proxy {
namespace {

struct ListOptions {
  HeldOptions held;
  std::string pattern;
  bool pinned = false;
};

struct ImagesOptions {
  HeldOptions held;
  std::vector<std::string> images;
  bool dry_run = false;
};

using Document = Result<boost::json::object>;
using OnImage = Document (*)(HeldCache&, const std::string&, bool dry_run);
using Print = void (*)(const boost::json::object&, std::ostream&);

std::string short_digest(const std::string& digest) {
  constexpr std::size_t hex_shown = 12;
  const auto colon = digest.find(':');
  return colon == std::string::npos ? digest : digest.substr(colon + 1, hex_shown);
}

/// `2026-11-22 20:15`, in UTC.
std::string when(std::uint64_t unix_time) {
  if (unix_time == 0) return "";
  const auto time = static_cast<std::time_t>(unix_time);
  std::tm parts{};
  if (gmtime_r(&time, &parts) == nullptr) return "";
  std::array<char, 32> text{};
  const auto length = std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M", &parts);
  return {text.data(), length};
}

std::string joined(const std::vector<std::string>& texts) {
  std::string text;
  for (const auto& each : texts) text += (text.empty() ? "" : ",") + each;
  return text;
}

std::string table_of(const boost::json::array& list, bool terminal) {
  Table table({"IMAGE", "DIGEST", "PLATFORMS", "SIZE", "CHECKED", "PINNED"});
  for (const auto& each : list) {
    if (!each.is_object()) continue;
    const auto& image = each.get_object();
    table.row({text_in(image, "name"), short_digest(text_in(image, "digest")),
               joined(texts_in(image, "platforms")), human_size(number_in(image, "bytes")),
               when(number_in(image, "checked_at")), flag_in(image, "pinned") ? "pinned" : ""});
  }
  return table.str(terminal);
}

int list(const ListOptions& options, const Surroundings& surroundings) {
  const auto held = HeldCache::find(options.held.gateway, surroundings.environment);
  if (!held) return report(surroundings, "ls", held.error());
  const auto images = (*held)->list(options.pattern, options.pinned);
  if (!images) return report(surroundings, "ls", images.error());
  if (options.held.output.json) {
    surroundings.out << pretty_json(*images);
  } else if (options.held.output.quiet) {
    for (const auto& image : *images) {
      surroundings.out << text_in(image.as_object(), "name") << "\n";
    }
  } else {
    surroundings.out << table_of(*images, surroundings.out_is_terminal);
  }
  return exits::ok;
}

/// Does it to each image, says what came of it, and goes on after a failure.
int on_each(const char* name, const ImagesOptions& options, const Surroundings& surroundings,
            OnImage what, Print print) {
  const auto held = HeldCache::find(options.held.gateway, surroundings.environment);
  if (!held) return report(surroundings, name, held.error());
  int code = exits::ok;
  boost::json::array all;
  for (const auto& image : options.images) {
    auto document = what(**held, image, options.dry_run);
    if (!document) {
      code = report(surroundings, name, document.error());
      continue;
    }
    if (!options.held.output.json && !options.held.output.quiet) {
      print(*document, surroundings.out);
    }
    all.push_back(*std::move(document));
  }
  if (options.held.output.json) surroundings.out << pretty_json(all);
  return code;
}

void print_removed(const boost::json::object& removed, std::ostream& out) {
  const auto image = text_in(removed, "image");
  for (const auto& tag : texts_in(removed, "tags")) out << image << ":" << tag << "\n";
  out << (flag_in(removed, "dry_run") ? "would free " : "freed ")
      << human_size(number_in(removed, "bytes")) << ": "
      << counted(number_in(removed, "manifests"), "manifest") << ", "
      << counted(number_in(removed, "blobs"), "blob") << "\n";
}

void print_pinned(const boost::json::object& pinned, std::ostream& out) {
  for (const auto& name : texts_in(pinned, "pinned")) out << name << " is pinned\n";
  for (const auto& name : texts_in(pinned, "unpinned")) out << name << " is no longer pinned\n";
}

std::shared_ptr<ImagesOptions> add_images(CLI::App& command) {
  const auto options = std::make_shared<ImagesOptions>();
  command.add_option("IMAGE", options->images, "NAME, NAME:TAG or NAME@DIGEST")
      ->type_name("")
      ->required();
  add_held_options(command, options->held);
  return options;
}

}  // namespace

void add_ls(CLI::App& app, Commands& commands) {
  auto* const command = app.add_subcommand("ls", "List the images that are cached");
  const auto options = std::make_shared<ListOptions>();
  command
      ->add_option("PATTERN", options->pattern,
                   "Those with this in their name; with * or ? those whose whole name it matches")
      ->type_name("");
  command->add_flag("--pinned", options->pinned, "Only what is pinned");
  add_held_options(*command, options->held);
  commands.push_back({.app = command, .run = [options](const Surroundings& surroundings) {
                        return list(*options, surroundings);
                      }});
}

void add_rm(CLI::App& app, Commands& commands) {
  auto* const command =
      app.add_subcommand("rm", "Remove images from the cache, with what nothing else needs");
  const auto options = add_images(*command);
  command->add_flag("--dry-run", options->dry_run, "Only say what would go");
  const OnImage remove = [](HeldCache& held, const std::string& image, bool dry_run) {
    return held.remove(image, dry_run);
  };
  commands.push_back({.app = command, .run = [=](const Surroundings& surroundings) {
                        return on_each("rm", *options, surroundings, remove, print_removed);
                      }});
}

void add_pin(CLI::App& app, Commands& commands) {
  auto* const command = app.add_subcommand("pin", "Keep images whatever room is wanted");
  const auto options = add_images(*command);
  const OnImage pin = [](HeldCache& held, const std::string& image, bool) {
    return held.pin(image);
  };
  commands.push_back({.app = command, .run = [=](const Surroundings& surroundings) {
                        return on_each("pin", *options, surroundings, pin, print_pinned);
                      }});
}

void add_unpin(CLI::App& app, Commands& commands) {
  auto* const command = app.add_subcommand("unpin", "Let pinned images go when room is wanted");
  const auto options = add_images(*command);
  const OnImage unpin = [](HeldCache& held, const std::string& image, bool) {
    return held.unpin(image);
  };
  commands.push_back({.app = command, .run = [=](const Surroundings& surroundings) {
                        return on_each("unpin", *options, surroundings, unpin, print_pinned);
                      }});
}

}  // namespace archway::proxy
