#include "proxy/command/manifest_create.hpp"

#include "proxy/command/manifest_draft_store.hpp"
#include "proxy/command/manifest_index.hpp"
#include "proxy/command/manifest_virtual.hpp"

#include <CLI/App.hpp>
#include <memory>
#include <utility>

namespace archway::proxy {
namespace {

constexpr const char* command_name = "manifest create";

Error exists(const resolver::ImageReference& target) {
  return {.code = Errc::request_invalid,
          .message = "there is a draft of " + target.str() +
                     " already; --amend adds to it, `archway manifest rm " + target.str() +
                     "` drops it"};
}

/// What the sources bring, in their order.
Result<std::vector<DraftEntry>> collect(const std::vector<std::string>& sources, Session& session) {
  std::vector<DraftEntry> all;
  for (const auto& text : sources) {
    const auto source = resolver::parse_image(text);
    if (!source) return source.error();
    const auto registry = session.registry(source->image.upstream);
    if (!registry) return registry.error();
    auto entries = session.run(entries_of_source(*registry, *source));
    if (!entries) {
      Error named = entries.error();
      if (named.message.find(source->str()) == std::string::npos) {
        named.message = source->str() + ": " + named.message;
      }
      return named;
    }
    for (auto& entry : *entries) all.push_back(std::move(entry));
  }
  return all;
}

/// What `manifest push` would refuse, or clients would wonder about.
void warn(const Draft& draft, const Surroundings& surroundings) {
  for (const auto& platform : doubled_platforms(draft)) {
    surroundings.err << "warning: " << platform
                     << " is in the index more than once; clients take the first\n";
  }
  for (const auto& entry : draft.entries) {
    if (has_platform(entry)) continue;
    surroundings.err << "warning: " << entry.source.str()
                     << " names no platform; `archway manifest annotate` states it\n";
  }
}

}  // namespace

int manifest_create(const CreateOptions& options, const Surroundings& surroundings) {
  auto session = Session::make(options.registry, surroundings);
  if (!session) return report(surroundings, command_name, session.error(), options.registry.debug);
  return options.virtual_image ? create_virtual(options, surroundings, **session)
                               : manifest_create(options, surroundings, **session);
}

int manifest_create(const CreateOptions& options, const Surroundings& surroundings,
                    Session& session) {
  const auto fail = [&](const Error& error) {
    return report(surroundings, command_name, error, options.registry.debug);
  };
  const auto target = parse_target(options.target);
  if (!target) {
    fail(target.error());
    return exits::usage;
  }
  const auto store = DraftStore::of_user(surroundings.environment);
  if (!store) return fail(store.error());
  auto found = store->find(*target);
  if (!found) return fail(found.error());
  if (*found && !options.amend) return fail(exists(*target));
  auto entries = collect(options.sources, session);
  if (!entries) return fail(entries.error());
  Draft draft{.target = *target};
  if (*found) draft = **std::move(found);
  amend(draft, *std::move(entries));
  const auto saved = store->save(draft);
  if (!saved) return fail(saved.error());
  if (!options.output.quiet) warn(draft, surroundings);
  if (options.output.json) {
    surroundings.out << draft_text(draft);
  } else if (!options.output.quiet) {
    surroundings.out << "Created manifest list " << target->str() << "\n";
  }
  return exits::ok;
}

void add_manifest_create(CLI::App& manifest, Commands& commands) {
  auto* const command = manifest.add_subcommand("create", "Make an index out of images");
  const auto options = std::make_shared<CreateOptions>();
  command->add_option("TARGET", options->target, "The name of the index")
      ->type_name("")
      ->required();
  command
      ->add_option("SOURCE", options->sources,
                   "An image, or an index whose entries are all taken; with --virtual also "
                   "PLATFORM=IMAGE")
      ->type_name("")
      ->required();
  auto* const kept =
      command->add_flag("--virtual", options->virtual_image,
                        "Let a gateway keep it, instead of pushing it to a registry");
  command->add_flag("-a,--amend", options->amend, "Add to the draft that is there")->excludes(kept);
  command->add_flag("--strict", options->strict, "With --virtual: refuse while one is missing")
      ->needs(kept);
  command->add_option("--gateway", options->gateway, "With --virtual: read platforms through it")
      ->type_name("HOST:PORT")
      ->needs(kept);
  command->add_option("--admin", options->admin, "With --virtual: the gateway's admin port")
      ->type_name("HOST:PORT|unix:PATH")
      ->needs(kept);
  add_registry_options(*command, options->registry);
  add_output_options(*command, options->output);
  commands.push_back({.app = command, .run = [options](const Surroundings& surroundings) {
                        return manifest_create(*options, surroundings);
                      }});
}

}  // namespace archway::proxy
