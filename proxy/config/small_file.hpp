#pragma once

#include "resolver/model/result.hpp"

#include <cstddef>
#include <filesystem>
#include <string>

namespace archway::proxy {

/// A file that was read whole.
struct SmallFile {
  std::string text;
  bool others_read = false;  ///< its mode lets every user of the machine read it
};

/// Reads a file of at most `bytes_max` bytes.
///
/// Errors: Errc::configuration_invalid; the message names the path and says what is wrong: not
/// there, not readable, a folder, too large.
Result<SmallFile> read_small_file(const std::filesystem::path& path, std::size_t bytes_max);

}  // namespace archway::proxy
