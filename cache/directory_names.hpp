#pragma once

#include "cache/blob_file.hpp"

#include <functional>
#include <string>

namespace archway::cache {

/// Calls `visit` with the open directory and the name of each entry but "." and "..", until it says
/// false; nothing when the directory cannot be read. `path` is relative to `root`. Memory does not
/// depend on their number.
void each_name(const FileHandle& root, const std::string& path,
               const std::function<bool(int directory, const char* name)>& visit);

}  // namespace archway::cache
