#include "proxy/command/manifest_annotate.hpp"

#include "proxy/command/manifest_draft_store.hpp"

#include <CLI/App.hpp>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace archway::proxy {
namespace {

constexpr const char* command_name = "manifest annotate";

std::vector<std::string> words_of(std::string_view list) {
  std::vector<std::string> words;
  while (!list.empty()) {
    const auto comma = list.find(',');
    if (comma != 0) words.emplace_back(list.substr(0, comma));
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
  }
  return words;
}

bool says_nothing(const Annotation& annotation) {
  return annotation.os.empty() && annotation.architecture.empty() && annotation.variant.empty() &&
         annotation.os_version.empty() && annotation.os_features.empty();
}

int usage(const Surroundings& surroundings, const Error& error) {
  report(surroundings, command_name, error);
  return exits::usage;
}

}  // namespace

int manifest_annotate(const AnnotateOptions& options, const Surroundings& surroundings) {
  const auto target = parse_target(options.target);
  if (!target) return usage(surroundings, target.error());
  const auto source = resolver::parse_image(options.source);
  if (!source) return usage(surroundings, source.error());
  auto annotation = options.annotation;
  annotation.os_features = words_of(options.os_features);
  if (says_nothing(annotation)) {
    return usage(surroundings,
                 {.code = Errc::request_invalid,
                  .message = "nothing is stated; allowed: --os, --arch, --variant, --os-version "
                             "and --os-features"});
  }
  const auto store = DraftStore::of_user(surroundings.environment);
  if (!store) return report(surroundings, command_name, store.error());
  auto draft = store->get(*target);
  if (!draft) return report(surroundings, command_name, draft.error());
  const auto stated = annotate(*draft, *source, annotation);
  if (!stated) return report(surroundings, command_name, stated.error());
  const auto saved = store->save(*draft);
  if (!saved) return report(surroundings, command_name, saved.error());
  if (options.output.json) surroundings.out << draft_text(*draft);
  return exits::ok;
}

void add_manifest_annotate(CLI::App& manifest, Commands& commands) {
  auto* const command = manifest.add_subcommand("annotate", "State what an entry runs on");
  const auto options = std::make_shared<AnnotateOptions>();
  command->add_option("TARGET", options->target, "The name of the index")
      ->type_name("")
      ->required();
  command
      ->add_option("SOURCE", options->source,
                   "The image as it was given to create, or NAME@DIGEST of an entry")
      ->type_name("")
      ->required();
  command->add_option("--os", options->annotation.os, "The system")->type_name("OS");
  command->add_option("--arch", options->annotation.architecture, "The architecture")
      ->type_name("ARCH");
  command->add_option("--variant", options->annotation.variant, "The architecture's variant")
      ->type_name("VARIANT");
  command->add_option("--os-version", options->annotation.os_version, "The system's version")
      ->type_name("VERSION");
  command->add_option("--os-features", options->os_features, "What the system has to offer")
      ->type_name("A,B");
  add_registry_options(*command, options->registry);
  add_output_options(*command, options->output);
  commands.push_back({.app = command, .run = [options](const Surroundings& surroundings) {
                        return manifest_annotate(*options, surroundings);
                      }});
}

}  // namespace archway::proxy
