#pragma once

#include <cstddef>
#include <string_view>

namespace archway::proxy {

/// The field in which an answer that is an error says why, a sentence for people: HEAD has no body.
/// The status line repeats its beginning, because of a 5xx dockerd, podman and containerd print
/// that line and nothing else.
inline constexpr std::string_view error_field = "Archway-Error";
/// So much of it is in the status line.
inline constexpr std::size_t repeated_bytes_max = 300;

}  // namespace archway::proxy
