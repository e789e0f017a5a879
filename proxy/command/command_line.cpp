#include "proxy/command/command_line.hpp"

#include "proxy/command/commands.hpp"
#include "proxy/command/version.hpp"
#include "proxy/config/nearest.hpp"
#include "proxy/config/section.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <exception>

namespace archway::proxy {
namespace {

/// What the command line can say.
struct CommandLine {
  CLI::App app{"archway hands every machine the container image built for it.", "archway"};
  Commands commands;
  CLI::App* help = nullptr;
  std::vector<std::string> help_for;
  bool version_flag = false;
};

std::vector<CLI::App*> commands_below(CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

/// What is left over is ours to report: with the nearest word that would have been right.
void allow_extras(CLI::App& app) {
  app.allow_extras();
  const auto below = commands_below(app);
  if (!below.empty()) app.require_subcommand(0, 1);
  for (CLI::App* command : below) allow_extras(*command);
}

void describe(CommandLine& line) {
  line.app.add_flag("--version", line.version_flag, "Print the version");
  add_serve(line.app, line.commands);
  add_config(line.app, line.commands);
  add_manifest(line.app, line.commands);
  add_explain(line.app, line.commands);
  add_client_config(line.app, line.commands);
  add_doctor(line.app, line.commands);
  add_status(line.app, line.commands);
  add_ls(line.app, line.commands);
  add_rm(line.app, line.commands);
  add_pin(line.app, line.commands);
  add_unpin(line.app, line.commands);
  add_upkeep(line.app, line.commands);
  add_warm(line.app, line.commands);
  add_export(line.app, line.commands);
  add_import(line.app, line.commands);
  add_version(line.app, line.commands);
  line.help = line.app.add_subcommand("help", "Explain a command");
  line.help->add_option("COMMAND", line.help_for, "The command")->type_name("");
  allow_extras(line.app);
}

/// The names of an app's commands, or of its options where `word` is one.
std::vector<std::string> candidates(CLI::App& app, const std::string& word) {
  std::vector<std::string> names;
  if (word.starts_with('-')) {
    for (const CLI::Option* option : app.get_options()) {
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
      for (const std::string& name : option->get_snames()) names.push_back("-" + name);
    }
    return names;
  }
  for (const CLI::App* command : commands_below(app)) names.push_back(command->get_name());
  return names;
}

/// The innermost command that was named.
CLI::App& innermost(CLI::App& app) {
  CLI::App* command = &app;
  while (!command->get_subcommands().empty()) command = command->get_subcommands().front();
  return *command;
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
std::string unknown_word(CLI::App& app, const std::string& word) {
  const std::string message = full_name(app) + ": found " + quoted_for_message(word);
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
  for (CLI::App* command : commands_below(app)) {
    if (command->get_name() == name) return command;
  }
  return nullptr;
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

/// `archway COMMAND --help` is `archway help COMMAND`.
int help_for_given(CommandLine& line, const Surroundings& surroundings) {
  line.help_for.clear();
  for (CLI::App* at = &line.app; !at->get_subcommands().empty();) {
    at = at->get_subcommands().front();
    line.help_for.push_back(at->get_name());
  }
  return help(line, surroundings);
}

int dispatch(CommandLine& line, const Surroundings& surroundings) {
  CLI::App& asked = innermost(line.app);
  const auto is_asked = [&](const Command& command) { return command.app == &asked; };
  const auto command = std::find_if(line.commands.begin(), line.commands.end(), is_asked);
  if (command != line.commands.end()) return command->run(surroundings);
  if (&asked == line.help) return help(line, surroundings);
  if (line.version_flag) return print_version(surroundings);
  surroundings.err << usage_of(asked);
  return exits::usage;
}

int parse_and_dispatch(int argc, const char* const* argv, const Surroundings& surroundings) {
  CommandLine line;
  describe(line);
  try {
    line.app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return help_for_given(line, surroundings);
  } catch (const CLI::ParseError& error) {
    const CLI::App& asked = innermost(line.app);
    return usage_error(surroundings, asked, full_name(asked) + ": " + error.what());
  }
  const auto left_over = line.app.remaining(true);
  if (!left_over.empty()) {
    CLI::App& asked = innermost(line.app);
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
