#include "proxy/command/command_line.hpp"

#include "proxy/command/config.hpp"
#include "proxy/command/serve_options.hpp"
#include "proxy/command/version.hpp"
#include "proxy/config/nearest.hpp"
#include "proxy/config/section.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <exception>
#include <optional>

namespace archway::proxy {
namespace {

constexpr const char* config_help =
    "The configuration file (else the environment's ARCHWAY_CONFIG)";

/// What the command line can say.
struct CommandLine {
  CLI::App app{"archway hands every machine the container image built for it.", "archway"};
  CLI::App* serve = nullptr;
  CLI::App* config = nullptr;
  CLI::App* check = nullptr;
  CLI::App* show = nullptr;
  CLI::App* defaults = nullptr;
  CLI::App* version = nullptr;
  CLI::App* help = nullptr;

  ServeOptions options;
  std::string file;
  bool version_flag = false;
  std::vector<std::string> help_for;
};

void add_config_file(CLI::App* command, CommandLine& line) {
  command->add_option("-c,--config", line.file, config_help)->type_name("FILE");
}

void describe(CommandLine& line) {
  // What is left over is ours to report: with the nearest word that would have been right.
  line.app.allow_extras();
  line.app.require_subcommand(0, 1);
  line.app.add_flag("--version", line.version_flag, "Print the version");

  line.serve = line.app.add_subcommand("serve", "Serve clients until SIGTERM");
  add_config_file(line.serve, line);
  line.serve
      ->add_option("--listen", line.options.listen, "Serve clients here instead; may be repeated")
      ->type_name("ADDRESS:PORT")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  line.serve->add_option("--cache", line.options.cache, "Cache in this folder instead")
      ->type_name("FOLDER");

  line.config = line.app.add_subcommand("config", "Check or print a configuration");
  line.config->require_subcommand(0, 1);
  line.check = line.config->add_subcommand("check", "Report everything that is wrong in a file");
  line.show = line.config->add_subcommand("show", "Print the settings in effect, secrets masked");
  for (CLI::App* command : {line.check, line.show}) {
    add_config_file(command, line);
    command->add_option("FILE", line.file, "The same as --config")->type_name("");
  }
  line.defaults =
      line.config->add_subcommand("defaults", "Print every key, its default and meaning");

  line.version = line.app.add_subcommand("version", "Print the version");
  line.help = line.app.add_subcommand("help", "Explain a command");
  line.help->add_option("COMMAND", line.help_for, "The command")->type_name("");
  for (CLI::App* command :
       {line.serve, line.config, line.check, line.show, line.defaults, line.version, line.help}) {
    command->allow_extras();
  }
}

/// The names of an app's commands, or of its options where `word` is one.
std::vector<std::string> candidates(const CLI::App& app, const std::string& word) {
  std::vector<std::string> names;
  if (word.starts_with('-')) {
    for (const CLI::Option* option : app.get_options()) {
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
      for (const std::string& name : option->get_snames()) names.push_back("-" + name);
    }
    return names;
  }
  const auto any = [](const CLI::App*) { return true; };
  for (const CLI::App* command : app.get_subcommands(any)) names.push_back(command->get_name());
  return names;
}

/// The innermost command that was named.
CLI::App* innermost(CLI::App& app) {
  CLI::App* command = &app;
  while (!command->get_subcommands().empty()) command = command->get_subcommands().front();
  return command;
}

std::string full_name(const CLI::App& app) {
  if (app.get_parent() == nullptr) return app.get_name();
  return full_name(*app.get_parent()) + " " + app.get_name();
}

/// Not App::help(): it would speak of the command that was given in place of the one asked about.
std::string usage_of(const CLI::App& app) {
  return app.get_formatter()->make_help(&app, full_name(app), CLI::AppFormatMode::Normal);
}

/// One line about a word that has no meaning there.
std::string unknown_word(const CLI::App& app, const std::string& word) {
  std::string message = full_name(app) + ": found " + quoted_for_message(word);
  const auto names = candidates(app, word);
  const std::vector<std::string_view> views(names.begin(), names.end());
  // An option may carry its value along: --cahce=/tmp.
  const auto meant = nearest(word.substr(0, word.find('=')), views);
  if (meant) return message + "; did you mean " + std::string(*meant) + "?";
  if (views.empty()) return message + "; allowed: nothing more";
  return message + "; allowed: " + either(views);
}

int usage_error(const Surroundings& surroundings, const CLI::App& app, const std::string& message) {
  surroundings.err << message << "\nSee `" << full_name(app) << " --help`.\n";
  return exits::usage;
}

CLI::App* find_command(CLI::App& app, const std::string& name) {
  const auto named = [&](const CLI::App* command) { return command->get_name() == name; };
  const auto found = app.get_subcommands(named);
  return found.empty() ? nullptr : found.front();
}

int help(CommandLine& line, const Surroundings& surroundings) {
  CLI::App* app = &line.app;
  for (const std::string& name : line.help_for) {
    CLI::App* next = find_command(*app, name);
    if (next == nullptr) return usage_error(surroundings, *app, unknown_word(*app, name));
    app = next;
  }
  surroundings.out << usage_of(*app);
  return exits::ok;
}

int dispatch(CommandLine& line, const Surroundings& surroundings) {
  std::optional<std::string> file = line.file;
  if (file->empty()) file = surroundings.environment.variable("ARCHWAY_CONFIG");
  if (file && file->empty()) file.reset();
  if (*line.serve) return serve_with(line.options, file, surroundings);
  if (*line.check) return config_check(file, surroundings);
  if (*line.show) return config_show(file, surroundings);
  if (*line.defaults) return config_defaults(surroundings);
  if (*line.help) return help(line, surroundings);
  if (*line.version || line.version_flag) return print_version(surroundings);
  const CLI::App& asked = *innermost(line.app);
  surroundings.err << usage_of(asked);
  return exits::usage;
}

int parse_and_dispatch(int argc, const char* const* argv, const Surroundings& surroundings) {
  CommandLine line;
  describe(line);
  try {
    line.app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    line.help_for.clear();
    for (CLI::App* at = &line.app; !at->get_subcommands().empty();) {
      at = at->get_subcommands().front();
      line.help_for.push_back(at->get_name());
    }
    return help(line, surroundings);
  } catch (const CLI::ParseError& error) {
    const CLI::App& asked = *innermost(line.app);
    return usage_error(surroundings, asked, full_name(asked) + ": " + error.what());
  }
  const CLI::App& asked = *innermost(line.app);
  const auto left_over = line.app.remaining(true);
  if (!left_over.empty()) {
    return usage_error(surroundings, asked, unknown_word(asked, left_over.front()));
  }
  return dispatch(line, surroundings);
}

}  // namespace

int run(int argc, const char* const* argv, const Surroundings& surroundings) {
  try {
    return parse_and_dispatch(argc, argv, surroundings);
  } catch (const std::exception& error) {
    surroundings.err << "archway: " << error.what() << "\n";
  } catch (...) {
    surroundings.err << "archway: something that is no exception was thrown\n";
  }
  return exits::failed;
}

}  // namespace archway::proxy
