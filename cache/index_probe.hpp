#pragma once

#include "cache/index_check.hpp"

#include <filesystem>
#include <optional>
#include <string>

namespace archway::cache {

/// What a probe brought.
struct Probe {
  std::optional<Finding> finding = {};  ///< none: the one who looked did not come back
  bool too_slow = false;                ///< it was ended because it took too long
  std::string how_it_ended = {};        ///< for the log
};

/// Has a child process look at the file by check_index(): damage there can end whoever reads it.
/// Bounded in processor time (500 ms and 1 ms for each 50 KiB of the file) and, for disks that do
/// not answer, eight times that by the clock. Without a second process (none can be made) the
/// finding is `unreadable`.
///
/// Threads: any; blocks.
Probe probe_index(const std::filesystem::path& file);

}  // namespace archway::cache
