#pragma once

#include "cache/blob_file.hpp"
#include "resolver/model/result.hpp"

#include <filesystem>
#include <memory>

namespace archway::cache {

/// A directory that is this process's.
struct DirectoryLock {
  std::unique_ptr<const FileHandle> file;  ///< null: read-only, and there is no lock file
  bool read_only = false;                  ///< nothing can be written there
};

/// Takes the directory for this process: an open-file-description lock on DIR/lock, held until the
/// handle is closed, by the kernel alone: a killed process leaves nothing to clean up. The file
/// names its holder for the benefit of the next one who asks.
///
/// Where nothing can be written, but a cache is there already, the lock is shared with others that
/// only read.
///
/// `root` is DIR, open; `directory` its path, for messages.
///
/// Errors: Errc::storage_failed; `retryable` is true, and the message names the holder, when the
/// lock is taken.
///
/// Source: fcntl(2), section "Open file description locks".
Result<DirectoryLock> lock_directory(const FileHandle& root,
                                     const std::filesystem::path& directory);

}  // namespace archway::cache
