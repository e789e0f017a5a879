#pragma once

#include "cache/blob_file.hpp"

#include <filesystem>
#include <functional>
#include <optional>
#include <string_view>

namespace archway::cache {

/// The number by which a file system says what it is. Source: statfs(2), linux/magic.h.
std::optional<unsigned long> file_system_magic(const FileHandle& file);

/// What a file system means for a cache that is kept on it.
struct FileSystemTraits {
  std::string_view name = {};   ///< for messages; "" for all that need no mention
  bool shared = false;          ///< other machines may write to it: an index cannot be mapped there
  bool keeps_no_order = false;  ///< syncing promises nothing that is worth the wear
};
FileSystemTraits traits_of(unsigned long magic);

}  // namespace archway::cache
