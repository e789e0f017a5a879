#pragma once

#include "cache/blob_file.hpp"
#include "resolver/model/result.hpp"

#include <filesystem>
#include <memory>

namespace archway::cache {

/// Takes the directory for this process: an open-file-description lock on DIR/lock, held until the
/// handle is closed, by the kernel alone: a killed process leaves nothing to clean up. The file
/// names its holder for the benefit of the next one who asks.
///
/// `root` is DIR, open; `directory` its path, for messages.
///
/// Errors: Errc::storage_failed; `retryable` is true, and the message names the holder, when the
/// lock is taken.
///
/// Source: fcntl(2), section "Open file description locks".
Result<std::unique_ptr<const FileHandle>> lock_directory(const FileHandle& root,
                                                         const std::filesystem::path& directory);

}  // namespace archway::cache
