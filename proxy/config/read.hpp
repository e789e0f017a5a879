#pragma once

#include "proxy/config/environment.hpp"
#include "proxy/config/problem.hpp"
#include "proxy/config/settings.hpp"

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace archway::proxy {

/// What reading a configuration gave: settings, or every problem at once in the order of the file.
struct ReadOutcome {
  std::optional<Settings> settings = {};  ///< present when there are no problems
  std::vector<ConfigProblem> problems = {};
  std::vector<std::string> warnings = {};  ///< usable but unwise, as `file:line:column: …`
};

inline constexpr std::size_t config_bytes_max = 1024 * 1024;

/// Reads a file over the defaults, and the files and variables of its secrets.
ReadOutcome read_settings(const std::filesystem::path& path, const Environment& environment);

/// The same for a text. `file`: its name in messages, and where relative paths begin.
/// `others_read`: everybody can read that file.
ReadOutcome read_settings_text(std::string_view text, const std::filesystem::path& file,
                               const Environment& environment, bool others_read = false);

}  // namespace archway::proxy
