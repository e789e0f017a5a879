#pragma once

#include "proxy/config/settings.hpp"
#include "proxy/upstream/docker_config.hpp"
#include "resolver/model/result.hpp"

#include <cstdint>
#include <ctime>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace archway::proxy {

/// How a file looked: when two of these are equal, nobody has written it in between.
struct FileStamp {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  std::int64_t modified_ns = 0;
  std::int64_t changed_ns = 0;  ///< also when the time above was set to what it was

  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

/// What a look at one way to log in has found.
struct LoginLook {
  bool unchanged = false;                           ///< the file is as `seen`, and was not read
  std::optional<Settings::Credentials> found = {};  ///< user name and password; none: none known
  std::optional<FileStamp> stamp = {};              ///< of the file it came from
};

/// The names by which docker's configuration and its helpers may know this upstream, the likeliest
/// first.
std::vector<std::string> login_names(const Settings::Upstream& upstream);

/// Looks: into the file unless it is as `seen`, or asks the helper. Blocks.
///
/// Errors: Errc::configuration_invalid; the message has the file's or program's name, and the
/// program's own words.
Result<LoginLook> look_for_login(const Settings::Credentials& source,
                                 const std::vector<std::string>& names,
                                 const std::optional<FileStamp>& seen, const HelperRun& run);

}  // namespace archway::proxy
