#pragma once

#include "proxy/config/read.hpp"

#include <array>
#include <cstdlib>
#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <sys/stat.h>

namespace archway::proxy {

/// A process of its own: these variables, not root.
inline Environment environment_of_test() {
  static const std::map<std::string, std::string> variables = {
      {"HOME", "/home/me"}, {"SECRET", "s3cret"}, {"EMPTY", ""}};
  const auto find = [](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  };
  return {.variable = find, .root = false};
}

inline ReadOutcome outcome_of(std::string_view text, bool others_read = false) {
  static const Environment environment = environment_of_test();
  return read_settings_text(text, "archway.yaml", environment, others_read);
}

/// The settings of a text that has no problems.
inline Settings settings_of(std::string_view text) {
  const ReadOutcome outcome = outcome_of(text);
  for (const ConfigProblem& problem : outcome.problems) FAIL_CHECK(problem.str());
  REQUIRE(outcome.settings.has_value());
  return *outcome.settings;
}

/// A configuration that cannot be used, and every problem of it as `line:column: message`.
struct BadRow {
  const char* why;
  std::string_view text;
  std::string_view want;  ///< one problem a line
};

inline void check_refused(std::span<const BadRow> rows) {
  for (const BadRow& row : rows) {
    CAPTURE(row.why);
    const ReadOutcome outcome = outcome_of(row.text);
    CHECK_FALSE(outcome.settings.has_value());
    std::string found;
    for (const ConfigProblem& problem : outcome.problems) {
      REQUIRE(problem.str().starts_with("archway.yaml:"));
      found += (found.empty() ? "" : "\n") + problem.str().substr(13);
    }
    CHECK(found == std::string(row.want));
  }
}

/// A folder that is removed with everything in it.
class TempFolder {
 public:
  TempFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "archway-test-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  const std::filesystem::path& path() const noexcept { return path_; }
  std::string write(const std::string& name, std::string_view text, mode_t mode = 0600) const {
    const auto file = path_ / name;
    std::ofstream(file, std::ios::binary) << text;
    REQUIRE(::chmod(file.c_str(), mode) == 0);
    return file.string();
  }

 private:
  std::filesystem::path path_;
};

}  // namespace archway::proxy
