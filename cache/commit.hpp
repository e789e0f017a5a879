#pragma once

#include "cache/index.hpp"

namespace archway::cache {

/// Index::commit(), and waits until it is durable or has failed. Blocks; not on the index's own
/// thread.
///
/// Errors: Errc::storage_failed.
Result<void> commit_and_wait(Index& index, Changes changes);

}  // namespace archway::cache
