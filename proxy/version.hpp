#pragma once

#include <string_view>

namespace archway::proxy {

/// The release that this is, from CMake's project().
inline constexpr std::string_view version = ARCHWAY_VERSION;

}  // namespace archway::proxy
