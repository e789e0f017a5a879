#include "proxy/command/commands.hpp"
#include "proxy/command/json_text.hpp"
#include "proxy/command/manifest_cached.hpp"
#include "proxy/command/pull_many.hpp"
#include "proxy/command/pull_progress.hpp"
#include "proxy/config/image_list.hpp"
#include "proxy/config/small_file.hpp"

#include <CLI/App.hpp>
#include <istream>
#include <iterator>
#include <memory>
#include <ostream>
#include <unordered_set>
#include <utility>

namespace archway::proxy {
namespace {

constexpr const char* command_name = "warm";

struct WarmOptions {
  PullManyOptions many;
  std::string file;
};

Result<std::string> text_of(const std::string& file, const Surroundings& surroundings) {
  if (file == "-" && surroundings.in != nullptr) {
    std::string text{std::istreambuf_iterator<char>(*surroundings.in), {}};
    if (text.size() <= image_list_bytes_max) return text;
    return Error{.code = Errc::request_invalid,
                 .message = "standard input has more than 16 MiB; that is no list of images"};
  }
  auto read = read_small_file(file, image_list_bytes_max);
  if (!read) return read.error();
  return std::move(read->text);
}

Result<std::vector<std::string>> images_of(const WarmOptions& options,
                                           const Surroundings& surroundings) {
  auto images = options.many.images;
  if (!options.file.empty()) {
    const auto text = text_of(options.file, surroundings);
    if (!text) return text.error();
    auto listed = read_image_list(*text, options.file);
    if (!listed) return listed;
    images.insert(images.end(), listed->begin(), listed->end());
  }
  if (!images.empty()) return images;
  return Error{.code = Errc::request_invalid,
               .message = "found no image; allowed: IMAGE…, --from-file FILE, or both"};
}

/// Blobs that the gateway has and hands out; where that is not known they are fetched again, which
/// costs no more than this machine's own network.
std::unordered_set<Digest> cached_of(const std::vector<PullTask>& tasks, const Gateway& gateway) {
  std::unordered_set<Digest> there;
  if (gateway.admin.empty()) return there;
  const auto ask = ask_cached_at(gateway.admin);
  for (const auto& task : tasks) {
    if (!task.image) continue;
    std::vector<Digest> digests;
    for (const auto& blob : task.image->blobs) digests.push_back(blob.digest);
    const auto cached = ask(task.image->name.image.image.str(), digests);
    if (!cached) break;
    for (std::size_t i = 0; i < digests.size(); ++i) {
      if ((*cached)[i]) there.insert(digests[i]);
    }
  }
  return there;
}

int warm(const WarmOptions& options, const Surroundings& surroundings) {
  const auto& many = options.many;
  const auto images = images_of(options, surroundings);
  const auto platforms = wanted_platforms(many.platforms);
  if (!images || !platforms) {
    report(surroundings, command_name, images ? platforms.error() : images.error());
    return exits::usage;
  }
  auto pull = open_pull(many.pull, surroundings);
  if (!pull) return report(surroundings, command_name, pull.error(), many.pull.registry.debug);
  auto tasks = look_up_all(*pull, *images, *platforms, many.at_once);
  const auto cached = cached_of(tasks, pull->gateway);
  auto transfers =
      transfers_of(tasks, [&](const Digest& digest) { return cached.count(digest) > 0; });
  {
    PullProgress progress("archway warm", surroundings, many.output, &transfers);
    const Transfers job{
        .registry = pull->registry, .all = &transfers, .at_once = many.at_once, .moved = [&] {
          progress.moved();
        }};
    const auto ran = pull->session->run(bring_all(&job));
    if (!ran) return report(surroundings, command_name, ran.error());
  }
  settle(tasks, transfers);
  if (many.output.json) {
    surroundings.out << pretty_json(tasks_json(tasks));
  } else if (!many.output.quiet) {
    surroundings.out << tasks_table(tasks, surroundings.out_is_terminal);
  }
  const int code = report_failures(command_name, tasks, surroundings, many.output);
  say_what_was_done(command_name, tasks, transfers, "the cache", surroundings, many.output);
  return code;
}

}  // namespace

void add_warm(CLI::App& app, Commands& commands) {
  auto* const command =
      app.add_subcommand("warm", "Have a running gateway fetch images before anyone asks");
  const auto options = std::make_shared<WarmOptions>();
  command->add_option("IMAGE", options->many.images, "Images, by tag or digest")->type_name("");
  command
      ->add_option("-f,--from-file", options->file,
                   "Also those of a list (one a line), a compose file or Kubernetes manifests; - "
                   "is standard input")
      ->type_name("FILE");
  add_pull_many_options(*command, options->many);
  commands.push_back({.app = command, .run = [options](const Surroundings& surroundings) {
                        return warm(*options, surroundings);
                      }});
}

}  // namespace archway::proxy
