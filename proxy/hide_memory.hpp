#pragma once

namespace archway::proxy {

/// Keeps what is in this process' memory, credentials among it, out of core dumps and from
/// debuggers of the same user. Not in a build with a sanitizer, whose leak check is such a
/// debugger.
void hide_memory() noexcept;

}  // namespace archway::proxy
