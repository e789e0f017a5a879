#include "proxy/command/config.hpp"

#include "proxy/config/defaults.hpp"
#include "proxy/config/print.hpp"
#include "proxy/config/read.hpp"

namespace archway::proxy {
namespace {

std::string counted(std::size_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

/// What was found, on `stream`; the last line sums it up.
void report(const ReadOutcome& outcome, const std::string& file, std::ostream& stream) {
  for (const ConfigProblem& problem : outcome.problems) stream << problem.str() << "\n";
  for (const std::string& warning : outcome.warnings) stream << "warning: " << warning << "\n";
  if (outcome.settings) {
    stream << file << ": valid\n";
  } else {
    stream << counted(outcome.problems.size(), "problem") << "\n";
  }
}

}  // namespace

int config_check(const std::optional<std::string>& file, const Surroundings& surroundings) {
  if (!file) {
    surroundings.err << "archway config check: no file was named; "
                        "write `archway config check archway.yaml`\n";
    return exits::usage;
  }
  const ReadOutcome outcome = read_settings(*file, surroundings.environment);
  report(outcome, *file, surroundings.out);
  return outcome.settings ? exits::ok : exits::configuration;
}

int config_show(const std::optional<std::string>& file, const Surroundings& surroundings) {
  if (!file) {
    surroundings.out << print_settings(default_settings(surroundings.environment), false);
    return exits::ok;
  }
  const ReadOutcome outcome = read_settings(*file, surroundings.environment);
  if (!outcome.settings) {
    report(outcome, *file, surroundings.err);
    return exits::configuration;
  }
  for (const std::string& warning : outcome.warnings) {
    surroundings.err << "warning: " << warning << "\n";
  }
  surroundings.out << print_settings(*outcome.settings, false);
  return exits::ok;
}

int config_defaults(const Surroundings& surroundings) {
  surroundings.out << "# Every key of archway's configuration with its default; all of them may be "
                      "left out.\n# `# ` explains; a # without a blank, or with more than one, is "
                      "an example.\n\n"
                   << print_settings(default_settings(surroundings.environment), true);
  return exits::ok;
}

}  // namespace archway::proxy
