#include "proxy/command/manifest_push.hpp"

#include "proxy/command/json_text.hpp"
#include "proxy/command/manifest_copy.hpp"
#include "proxy/command/manifest_draft_store.hpp"
#include "proxy/command/manifest_index.hpp"

#include <CLI/App.hpp>
#include <memory>
#include <utility>

namespace archway::proxy {
namespace {

constexpr const char* command_name = "manifest push";

/// One run of the command.
class Push {
 public:
  Push(const PushOptions& options, const Surroundings& surroundings, Session& session, Draft draft)
      : options_(options),
        surroundings_(surroundings),
        session_(session),
        draft_(std::move(draft)) {}

  int run() {
    const auto index = index_of(draft_, options_.docker_list);
    if (!index) return fail(index.error());
    const auto pusher = session_.pusher(draft_.target.image.upstream);
    if (!pusher) return fail(pusher.error());
    const auto done = put(*pusher, *index);
    if (!options_.output.quiet && !options_.output.json) print_pushed();
    if (!done) {
      const int code = fail(done.error());
      return tally_.pushed.empty() ? code : exits::partly;
    }
    print_index(*index);
    return exits::ok;
  }

 private:
  int fail(const Error& error) const {
    return report(surroundings_, command_name, error, options_.registry.debug);
  }

  /// The entries first: whoever finds the index must find what it names.
  Result<void> put(Pusher* pusher, const IndexDocument& index) {
    Progress progress(surroundings_, options_.output);
    for (const auto& entry : draft_.entries) {
      const auto registry = session_.registry(entry.source.image.upstream);
      if (!registry) return registry.error();
      const CopyJob job{.from = entry.source.image,
                        .registry = *registry,
                        .to = draft_.target.image,
                        .pusher = pusher,
                        .tally = &tally_,
                        .show = [&progress](const std::string& text) { progress.show(text); }};
      const auto copied = session_.run(copy_manifest(&job, entry.digest));
      if (!copied) return copied.error();
    }
    progress.show("pushing " + draft_.target.str());
    const auto& target = draft_.target;
    return session_.run(pusher->put_manifest(target.image.repository, target.reference,
                                             index.media_type, index.bytes));
  }

  void print_pushed() const {
    for (const auto& digest : tally_.pushed) {
      surroundings_.out << "Pushed ref " << draft_.target.image.str() << "@" << digest.str()
                        << " with digest: " << digest.str() << "\n";
    }
  }

  void print_index(const IndexDocument& index) const {
    if (!options_.output.json) {
      surroundings_.out << index.digest.str() << "\n";
      return;
    }
    boost::json::array pushed;
    for (const auto& digest : tally_.pushed) pushed.emplace_back(digest.str());
    boost::json::object said;
    said["target"] = draft_.target.str();
    said["mediaType"] = index.media_type;
    said["digest"] = index.digest.str();
    said["pushed"] = std::move(pushed);
    said["blobs"] = boost::json::object{{"present", tally_.present},
                                        {"mounted", tally_.mounted},
                                        {"copied", tally_.copied},
                                        {"copiedBytes", tally_.bytes}};
    surroundings_.out << pretty_json(said);
  }

  const PushOptions& options_;
  const Surroundings& surroundings_;
  Session& session_;
  Draft draft_;
  CopyTally tally_;
};

}  // namespace

int manifest_push(const PushOptions& options, const Surroundings& surroundings) {
  auto registry = options.registry;
  // Sources may be elsewhere: --username is for where is written to.
  const auto target = parse_target(options.target);
  if (target) registry.username_for = target->image.upstream;
  auto session = Session::make(registry, surroundings);
  if (!session) return report(surroundings, command_name, session.error(), registry.debug);
  return manifest_push(options, surroundings, **session);
}

int manifest_push(const PushOptions& options, const Surroundings& surroundings, Session& session) {
  const auto target = parse_target(options.target);
  if (!target) {
    report(surroundings, command_name, target.error());
    return exits::usage;
  }
  const auto store = DraftStore::of_user(surroundings.environment);
  if (!store) return report(surroundings, command_name, store.error());
  auto draft = store->get(*target);
  if (!draft) return report(surroundings, command_name, draft.error());
  const int code = Push(options, surroundings, session, *std::move(draft)).run();
  if (code != exits::ok || !options.purge) return code;
  const auto removed = store->remove(*target);
  return removed ? code : report(surroundings, command_name, removed.error());
}

void add_manifest_push(CLI::App& manifest, Commands& commands) {
  auto* const command =
      manifest.add_subcommand("push", "Push a draft to its registry, with what it names");
  const auto options = std::make_shared<PushOptions>();
  command->add_option("TARGET", options->target, "The name of the index")
      ->type_name("")
      ->required();
  command->add_flag("-p,--purge", options->purge, "Drop the draft once it is pushed");
  command->add_flag("--docker-list", options->docker_list,
                    "A Docker manifest list, also where an entry is of an OCI type");
  add_registry_options(*command, options->registry);
  add_output_options(*command, options->output);
  commands.push_back({.app = command, .run = [options](const Surroundings& surroundings) {
                        return manifest_push(*options, surroundings);
                      }});
}

}  // namespace archway::proxy
