#include "proxy/command/serve_options.hpp"

#include "proxy/command/commands.hpp"
#include "proxy/command/config_file.hpp"
#include "proxy/config/defaults.hpp"
#include "proxy/config/endpoint.hpp"
#include "proxy/config/read.hpp"

#include <CLI/App.hpp>
#include <memory>

namespace archway::proxy {
namespace {

Error unusable(const std::string& message) {
  return {.code = Errc::configuration_invalid, .origin = Origin::configuration, .message = message};
}

Result<void> apply_listen(const std::vector<std::string>& texts, Settings& settings) {
  settings.listen.clear();
  for (const std::string& text : texts) {
    const auto endpoint = parse_endpoint(text);
    if (!endpoint) return unusable("--listen: " + endpoint.error().message);
    for (const Settings::Listener& other : settings.listen) {
      if (same_endpoint(*endpoint, other.endpoint)) return unusable("--listen: " + text + " twice");
    }
    if (settings.admin && overlap(*endpoint, *settings.admin)) {
      return unusable("--listen: " + text + " is where admin is (" + settings.admin->str() + ")");
    }
    settings.listen.push_back({.endpoint = *endpoint});
  }
  return {};
}

Result<void> apply(const ServeOptions& options, Settings& settings) {
  if (!options.cache.empty()) {
    settings.cache.directory = std::filesystem::absolute(options.cache).lexically_normal();
  }
  if (options.listen.empty()) return {};
  return apply_listen(options.listen, settings);
}

ReadOutcome read_or_default(const std::optional<std::string>& file,
                            const Environment& environment) {
  if (file) return read_settings(*file, environment);
  return {.settings = default_settings(environment)};
}

}  // namespace

int serve_with(const ServeOptions& options, const std::optional<std::string>& file,
               const Surroundings& surroundings) {
  ReadOutcome outcome = read_or_default(file, surroundings.environment);
  if (!outcome.settings) {
    for (const ConfigProblem& problem : outcome.problems) surroundings.err << problem.str() << "\n";
    return exits::configuration;
  }
  const auto applied = apply(options, *outcome.settings);
  if (!applied) {
    surroundings.err << "archway serve: " << applied.error().message << "\n";
    return exits::usage;
  }
  return surroundings.serve(*outcome.settings, outcome.warnings);
}

void add_serve(CLI::App& app, Commands& commands) {
  struct Given {
    ServeOptions options;
    std::string file;
  };
  const auto given = std::make_shared<Given>();
  CLI::App* serve = app.add_subcommand("serve", "Serve clients until SIGTERM");
  serve->footer(
      "SIGHUP reads certificates and CA files again, of listeners and upstreams.\nAnything else in "
      "the configuration needs a restart.");
  add_config_file(*serve, given->file);
  serve
      ->add_option("--listen", given->options.listen, "Serve clients here instead; may be repeated")
      ->type_name("ADDRESS:PORT")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  serve->add_option("--cache", given->options.cache, "Cache in this folder instead")
      ->type_name("FOLDER");
  commands.push_back({serve, [given](const Surroundings& surroundings) {
                        const auto file = config_file(given->file, surroundings.environment);
                        return serve_with(given->options, file, surroundings);
                      }});
}

}  // namespace archway::proxy
