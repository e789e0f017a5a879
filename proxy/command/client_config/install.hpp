#pragma once

#include "proxy/command/client_config/client_files.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace archway::proxy {

/// What becomes of one file.
struct Installing {
  std::filesystem::path target;
  std::string text;
  bool exists = false;
  bool changes = true;           ///< false: it is so already
  std::filesystem::path backup;  ///< where the present one is kept; "" when there is none to keep
};

/// What installing these files below `root` would do; writes nothing.
///
/// Errors: Errc::configuration_invalid for a file that is better left alone (no regular file,
/// cannot be parsed, somebody else's), for files that belong to no fixed place.
Result<std::vector<Installing>> plan_install(const ClientFiles& files,
                                             const std::filesystem::path& root);

/// Does it: the backup first, then the new file in one step, with the old one's owner and mode.
///
/// Errors: Errc::storage_failed; the message names the path. What was there is still there.
Result<void> install(const Installing& file);

}  // namespace archway::proxy
