#pragma once

#include "cache/index.hpp"
#include "cache/pins.hpp"
#include "resolver/model/result.hpp"

#include <cstdint>

namespace archway::cache {

/// Takes the manifests away that no tag, pin or grant leads to; how many. Without `refers_to`
/// nobody knows what an index leads to, so none go. Memory: 100 bytes an object.
///
/// Errors: Errc::storage_failed; what went before is gone.
Result<std::uint64_t> remove_unused_manifests(Index& index, const Pins::RefersTo& refers_to);

}  // namespace archway::cache
