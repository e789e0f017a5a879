#pragma once

#include "cache/index.hpp"

#include <memory>

namespace archway::cache {

/// The index of a directory that has none and where none can be made: it knows nothing, and takes
/// nothing (a commit fails with Errc::storage_failed, on the caller's thread). Blobs are found by
/// their files all the same.
std::unique_ptr<Index> make_no_index();

}  // namespace archway::cache
