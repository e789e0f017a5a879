#include "proxy/command/config.hpp"

#include "proxy/command/commands.hpp"
#include "proxy/command/config_file.hpp"
#include "proxy/command/config_json.hpp"
#include "proxy/command/config_online.hpp"
#include "proxy/command/json_text.hpp"
#include "proxy/command/online.hpp"
#include "proxy/config/defaults.hpp"
#include "proxy/config/print.hpp"
#include "proxy/config/read.hpp"

#include <CLI/App.hpp>
#include <memory>

namespace archway::proxy {
namespace {

/// What was found, on `stream`; the last line sums it up. `quiet`: the problems alone.
void report(const ReadOutcome& outcome, const std::string& file, bool quiet, std::ostream& stream) {
  for (const ConfigProblem& problem : outcome.problems) stream << problem.str() << "\n";
  if (quiet) return;
  for (const std::string& warning : outcome.warnings) stream << "warning: " << warning << "\n";
  if (outcome.settings) {
    stream << file << ": valid\n";
  } else {
    stream << counted(outcome.problems.size(), "problem") << "\n";
  }
}

/// The same and, with `online`, what the upstreams say, as one document.
int check_as_json(const std::string& file, const ReadOutcome& outcome, bool online,
                  const Surroundings& surroundings) {
  std::optional<OnlineAnswers> answers;
  if (online && outcome.settings) {
    auto asked = ask_online(*outcome.settings);
    if (!asked) return report(surroundings, "config check", asked.error());
    answers = *std::move(asked);
  }
  surroundings.out << pretty_json(check_json(file, outcome, answers ? &*answers : nullptr));
  if (!outcome.settings) return exits::configuration;
  return answers && something_is_missing(*answers) ? exits::partly : exits::ok;
}

}  // namespace

int config_check(const std::optional<std::string>& file, bool online, const OutputOptions& output,
                 const Surroundings& surroundings) {
  if (!file) {
    surroundings.err << "archway config check: no file was named; "
                        "write `archway config check archway.yaml`\n";
    return exits::usage;
  }
  const ReadOutcome outcome = read_settings(*file, surroundings.environment);
  if (output.json) return check_as_json(*file, outcome, online, surroundings);
  report(outcome, *file, output.quiet, surroundings.out);
  if (!outcome.settings) return exits::configuration;
  return online ? config_online(*outcome.settings, surroundings) : exits::ok;
}

int config_show(const std::optional<std::string>& file, const OutputOptions& output,
                const Surroundings& surroundings) {
  ReadOutcome outcome;
  if (file) {
    outcome = read_settings(*file, surroundings.environment);
  } else {
    outcome.settings = default_settings(surroundings.environment);
  }
  if (!outcome.settings) {
    report(outcome, *file, output.quiet, surroundings.err);
    return exits::configuration;
  }
  if (!output.quiet) {
    for (const std::string& warning : outcome.warnings) {
      surroundings.err << "warning: " << warning << "\n";
    }
  }
  surroundings.out << (output.json ? pretty_json(settings_json(*outcome.settings))
                                   : print_settings(*outcome.settings, false));
  return exits::ok;
}

int config_defaults(const Surroundings& surroundings) {
  surroundings.out << "# Every key of archway's configuration with its default; all of them may be "
                      "left out.\n# `# ` explains; a # without a blank, or with more than one, is "
                      "an example.\n\n"
                   << print_settings(default_settings(surroundings.environment), true);
  return exits::ok;
}

void add_config(CLI::App& app, Commands& commands) {
  struct Given {
    std::string file;
    bool online = false;
    OutputOptions output;
  };
  const auto given = std::make_shared<Given>();
  CLI::App* config = app.add_subcommand("config", "Check or print a configuration");
  CLI::App* check = config->add_subcommand("check", "Report everything that is wrong in a file");
  CLI::App* show = config->add_subcommand("show", "Print the settings in effect, secrets masked");
  for (CLI::App* command : {check, show}) {
    add_config_file(*command, given->file);
    command->add_option("FILE", given->file, "The same as --config")->type_name("");
    add_output_options(*command, given->output);
  }
  check->add_flag("--online", given->online,
                  "Also ask every upstream, and for every member of a virtual image");
  CLI::App* defaults =
      config->add_subcommand("defaults", "Print every key, its default and meaning");
  commands.push_back({check, [given](const Surroundings& surroundings) {
                        const auto file = config_file(given->file, surroundings.environment);
                        return config_check(file, given->online, given->output, surroundings);
                      }});
  commands.push_back({show, [given](const Surroundings& surroundings) {
                        const auto file = config_file(given->file, surroundings.environment);
                        return config_show(file, given->output, surroundings);
                      }});
  commands.push_back({defaults, config_defaults});
}

}  // namespace archway::proxy
