#include "proxy/command/manifest_inspect.hpp"

#include "proxy/command/admin_client.hpp"
#include "proxy/command/manifest_draft_store.hpp"
#include "proxy/command/manifest_fetch.hpp"
#include "proxy/command/manifest_index.hpp"
#include "proxy/command/manifest_view.hpp"
#include "resolver/platform_order.hpp"

#include <CLI/App.hpp>
#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

namespace archway::proxy {
namespace {

constexpr const char* command_name = "manifest inspect";

int usage(const Surroundings& surroundings, const Error& error) {
  report(surroundings, command_name, error);
  return exits::usage;
}

/// True when more is to be shown than the document itself has.
bool wants_details(const InspectOptions& options) {
  if (options.raw) return false;
  return options.output.json ? options.verbose : !options.output.quiet;
}

int print(const Inspection& inspection, const InspectOptions& options,
          const Surroundings& surroundings) {
  if (options.raw) {
    surroundings.out << inspection.document.bytes;
  } else if (options.output.json) {
    const auto json = inspection_json(inspection, options.verbose);
    if (!json) return report(surroundings, command_name, json.error());
    surroundings.out << *json;
  } else if (options.output.quiet) {
    surroundings.out << inspection.document.digest.str() << "\n";
  } else {
    surroundings.out << inspection_table(inspection, surroundings.out_is_terminal);
  }
  return exits::ok;
}

/// One run of the command.
class Inspector {
 public:
  Inspector(const InspectOptions& options, const Surroundings& surroundings, Session& session,
            const AskCached& ask_cached, resolver::ImageReference image,
            std::optional<Platform> platform)
      : options_(options),
        surroundings_(surroundings),
        session_(session),
        ask_cached_(ask_cached),
        image_(std::move(image)),
        platform_(std::move(platform)) {}

  int run() {
    auto asked = place_of(image_);
    if (!asked) return fail(asked.error());
    auto registry = session_.registry(asked->image.upstream);
    if (!registry) return fail(registry.error());
    registry_ = *registry;
    repository_ = asked->image.repository;
    auto document = session_.run(fetch_manifest(registry_, *repository_, asked->reference));
    if (document && platform_) document = child_of(*std::move(document), *platform_);
    if (!document) return fail(with_hint(document.error()));
    Inspection inspection{.name = image_.str(), .document = *std::move(document)};
    const int looked = wants_details(options_) ? look_closer(inspection) : exits::ok;
    const int printed = print(inspection, options_, surroundings_);
    return printed == exits::ok ? looked : printed;
  }

 private:
  int fail(const Error& error) {
    return report(surroundings_, command_name, error, options_.registry.debug);
  }

  Result<resolver::ImageReference> place_of(const resolver::ImageReference& image) const {
    if (options_.gateway.empty()) return image;
    return through_gateway(image, options_.gateway);
  }

  Result<FetchedManifest> child_of(FetchedManifest index, const Platform& wanted) {
    if (index.manifest.kind != ManifestKind::index) return index;
    std::vector<const Platform*> offered;
    std::string there;
    for (const auto& entry : index.manifest.manifests) {
      const bool image = entry.platform && !is_attestation(entry);
      offered.push_back(image ? &*entry.platform : nullptr);
      if (image) there += (there.empty() ? "" : ", ") + entry.platform->str();
    }
    const auto best = resolver::best_first(resolver::ladder(wanted), offered);
    if (best.empty()) {
      return Error{.code = Errc::manifest_unknown,
                   .message = image_.str() + " has nothing for " + wanted.str() +
                              "; it has: " + (there.empty() ? "no images" : there)};
    }
    const Reference child = index.manifest.manifests[best.front()].digest;
    return session_.run(fetch_manifest(registry_, *repository_, child));
  }

  /// Says what was asked for. docker shows a draft of that name; here it has to be asked for.
  Error with_hint(Error error) const {
    error.message = image_.str() + ": " + error.message;
    if (exit_code_of(error) != exits::not_found) return error;
    const auto store = DraftStore::of_user(surroundings_.environment);
    if (!store) return error;
    const auto draft = store->find(image_);
    if (draft && *draft) error.message += "; there is a draft of that name, --draft shows it";
    return error;
  }

  int look_closer(Inspection& inspection) {
    const auto& manifest = inspection.document.manifest;
    if (manifest.kind == ManifestKind::index) return look_at_entries(inspection);
    inspection.cached = cached(inspection.document);
    if (!manifest.config) return exits::ok;
    const auto platform = session_.run(fetch_platform(registry_, *repository_, *manifest.config));
    if (!platform) {
      fail(platform.error());
      return exits::partly;
    }
    if (!platform->os.empty()) inspection.platform = *platform;
    return exits::ok;
  }

  int look_at_entries(Inspection& inspection) {
    std::vector<Error> problems;
    int code = exits::ok;
    {
      Progress progress(surroundings_, options_.output);
      std::size_t looked_at = 0;
      for (const auto& entry : inspection.document.manifest.manifests) {
        EntryFacts facts;
        if (!is_attestation(entry) && looked_at++ < inspected_entries_max) {
          progress.show("looking at manifest " + std::to_string(looked_at));
          if (!look_at(entry, facts, problems)) code = exits::partly;
        }
        inspection.entries.push_back(std::move(facts));
      }
    }
    for (const auto& problem : problems) fail(problem);
    return code;
  }

  bool look_at(const Descriptor& entry, EntryFacts& facts, std::vector<Error>& problems) {
    if (kind_of(entry.media_type) == ManifestKind::index) {
      facts.note = "an index";
      return true;
    }
    const auto fetched = session_.run(fetch_manifest(registry_, *repository_, entry.digest));
    if (fetched) {
      if (fetched->manifest.interpretable) facts.bytes = size_of_parts(fetched->manifest);
      facts.cached = cached(*fetched);
      return true;
    }
    const bool missing = exit_code_of(fetched.error()) == exits::not_found;
    facts.note = missing ? "missing" : "unknown";
    if (!missing) problems.push_back(fetched.error());
    return false;
  }

  /// The name that a gateway knows the image by.
  std::string gateway_name() const {
    // `localhost:5000/docker.io/library/alpine` asks a gateway for what is behind the host.
    const auto& path = image_.image.repository.str();
    const auto first = path.substr(0, path.find('/'));
    const bool host_in_path = first.size() < path.size() && first.find('.') != std::string::npos;
    return options_.gateway.empty() && host_in_path ? path : image_.image.str();
  }

  /// Of a gateway that was asked for the image just now the manifest says nothing: its blobs do.
  std::string cached(const FetchedManifest& image) const {
    if (!ask_cached_) return "";
    std::vector<Digest> wanted = {image.digest};
    if (image.manifest.config) wanted.push_back(image.manifest.config->digest);
    for (const auto& layer : image.manifest.layers) wanted.push_back(layer.digest);
    const auto there = ask_cached_(gateway_name(), wanted);
    if (!there) return "";
    const auto is_there = [](bool one) { return one; };
    if (std::all_of(there->begin(), there->end(), is_there)) return "yes";
    return std::any_of(there->begin() + 1, there->end(), is_there) ? "partly" : "no";
  }

  const InspectOptions& options_;
  const Surroundings& surroundings_;
  Session& session_;
  const AskCached& ask_cached_;
  resolver::ImageReference image_;
  std::optional<Platform> platform_;
  Registry* registry_ = nullptr;
  std::optional<Repository> repository_ = {};
};

/// The index that `manifest push` would put.
int inspect_draft(const InspectOptions& options, const Surroundings& surroundings,
                  const resolver::ImageReference& image) {
  const auto fail = [&](const Error& error) { return report(surroundings, command_name, error); };
  const auto store = DraftStore::of_user(surroundings.environment);
  if (!store) return fail(store.error());
  const auto draft = store->get(image);
  if (!draft) return fail(draft.error());
  const auto index = index_of(*draft, false);
  if (!index) return fail(index.error());
  const Inspection inspection{
      .name = image.str() + " (draft)",
      .document = {.digest = index->digest,
                   .media_type = index->media_type,
                   .bytes = index->bytes,
                   .manifest = resolver::parse_manifest(index->bytes, index->media_type)}};
  return print(inspection, options, surroundings);
}

}  // namespace

int manifest_inspect(const InspectOptions& options, const Surroundings& surroundings) {
  const auto image = resolver::parse_image(options.image);
  if (!image) return usage(surroundings, image.error());
  if (options.draft) return inspect_draft(options, surroundings, *image);
  auto session = Session::make(options.registry, surroundings);
  if (!session) return report(surroundings, command_name, session.error(), options.registry.debug);
  const auto admin =
      admin_endpoint({.admin = options.admin, .config = {}}, surroundings.environment);
  if (!admin && !options.admin.empty()) return usage(surroundings, admin.error());
  const AskCached ask = admin ? ask_cached_at(*admin) : AskCached();
  return manifest_inspect(options, surroundings, **session, ask);
}

int manifest_inspect(const InspectOptions& options, const Surroundings& surroundings,
                     Session& session, const AskCached& ask_cached) {
  auto image = resolver::parse_image(options.image);
  if (!image) return usage(surroundings, image.error());
  std::optional<Platform> platform;
  if (!options.platform.empty()) {
    const auto parsed = Platform::parse(options.platform);
    if (!parsed) return usage(surroundings, parsed.error());
    platform = *parsed;
  }
  return Inspector(options, surroundings, session, ask_cached, *std::move(image),
                   std::move(platform))
      .run();
}

void add_manifest_inspect(CLI::App& manifest, Commands& commands) {
  auto* const command = manifest.add_subcommand("inspect", "Show the images behind a name");
  const auto options = std::make_shared<InspectOptions>();
  command->add_option("IMAGE", options->image, "The image, as docker writes it")
      ->type_name("")
      ->required();
  command->add_option("--platform", options->platform, "Show the image for this platform alone")
      ->type_name("OS/ARCH[/VARIANT]");
  auto* const raw = command->add_flag("--raw", options->raw, "Print the bytes as they are");
  command->add_flag("-v,--verbose", options->verbose, "With --json: sizes and what is cached, too");
  command->add_flag("--draft", options->draft, "Show what `manifest push` would put");
  command->add_option("--gateway", options->gateway, "Ask this gateway in place of the registry")
      ->type_name("HOST:PORT");
  command->add_option("--admin", options->admin, "The gateway's admin port, for what is cached")
      ->type_name("HOST:PORT|unix:PATH");
  add_registry_options(*command, options->registry);
  add_output_options(*command, options->output);
  raw->excludes("--json");
  commands.push_back({.app = command, .run = [options](const Surroundings& surroundings) {
                        return manifest_inspect(*options, surroundings);
                      }});
}

}  // namespace archway::proxy
