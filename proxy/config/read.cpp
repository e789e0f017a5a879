#include "proxy/config/read.hpp"

#include "proxy/config/defaults.hpp"
#include "proxy/config/sections.hpp"
#include "proxy/config/small_file.hpp"
#include "proxy/config/yaml_tree.hpp"

#include <algorithm>
#include <tuple>

namespace archway::proxy {
namespace {

std::filesystem::path directory_of(const std::filesystem::path& file) {
  std::error_code error;
  const auto absolute = std::filesystem::absolute(file, error);
  return error ? std::filesystem::path("/") : absolute.parent_path();
}

Settings read_sections(const Yaml& root, Reading& reading) {
  Settings settings = default_settings(reading.environment);
  const Section file(Value(&reading, &root, "", root.at), "");
  read_listeners(file, settings);
  read_process(file, settings);
  read_cache(file, settings);
  read_upstreams(file, settings);
  read_access(file, settings);
  read_tags(file, settings);
  // From here on names need the upstreams; platforms look at the listeners, prefetch at the tags.
  read_rewrite(file, settings);
  read_images(file, settings);
  read_platforms(file, settings);
  read_prefetch(file, settings);
  read_timeouts(file, settings);
  check_allowed(settings, reading);
  return settings;
}

void sort_by_place(std::vector<ConfigProblem>& problems) {
  std::stable_sort(problems.begin(), problems.end(), [](const auto& a, const auto& b) {
    return std::tie(a.line, a.column) < std::tie(b.line, b.column);
  });
}

}  // namespace

ReadOutcome read_settings(const std::filesystem::path& path, const Environment& environment) {
  const auto file = read_small_file(path, config_bytes_max);
  if (!file) return {.problems = {{.file = path.string(), .message = file.error().message}}};
  return read_settings_text(file->text, path, environment, file->others_read);
}

ReadOutcome read_settings_text(std::string_view text, const std::filesystem::path& file,
                               const Environment& environment, bool others_read) {
  const std::string name = file.string();
  const ParsedYaml parsed = parse_yaml(text);
  if (!parsed.failure.empty()) {
    const Position at = parsed.failed_at;
    return {.problems = {{name, at.line, at.column, parsed.failure}}};
  }
  Reading reading{.file = name,
                  .directory = directory_of(file),
                  .environment = environment,
                  .others_read = others_read};
  Settings settings = read_sections(parsed.root, reading);
  ReadOutcome outcome{.problems = std::move(reading.problems),
                      .warnings = std::move(reading.warnings)};
  sort_by_place(outcome.problems);
  if (reading.left_out != 0) {
    outcome.problems.push_back(
        {.file = name,
         .message = std::to_string(reading.left_out) + " more problems are not shown"});
  }
  if (outcome.problems.empty()) outcome.settings = std::move(settings);
  return outcome;
}

}  // namespace archway::proxy
