#pragma once

#include "resolver/model/result.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace archway::proxy {

inline constexpr std::size_t image_list_bytes_max = 16 * 1024 * 1024;
inline constexpr std::size_t image_list_images_max = 10'000;

/// The images that a text names, each once, in its order: a list with one on each line (`#` begins
/// a comment), or YAML of any number of documents: the `image` of everything below `services` (a
/// compose file) and in the lists `containers`, `initContainers` and `ephemeralContainers`
/// (Kubernetes manifests), at whatever depth they are. Names are as they were written.
///
/// `file` is the text's name in messages.
///
/// Errors: Errc::request_invalid with file and line: no valid YAML, no image in it, a name with
/// a variable (`${TAG}`), more than image_list_images_max.
Result<std::vector<std::string>> read_image_list(std::string_view text, const std::string& file);

}  // namespace archway::proxy
