#pragma once

#include "resolver/model/result.hpp"

#include <cstddef>

namespace archway::proxy {

/// Says whether the system gives this process so many threads at once, by beginning and ending
/// them: a start that runs out of them half-way could not always be taken back.
///
/// Errors: Errc::overloaded.
Result<void> check_threads(std::size_t count);

}  // namespace archway::proxy
