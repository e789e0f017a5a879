#pragma once

#include "proxy/pull/parts.hpp"

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <vector>

namespace archway::proxy {

/// The index with only the entries at `kept`, of the same media type, kept under this name so that
/// its own digest is served afterwards. The outcome is hit when it was there before, else miss.
///
/// Errors: Errc::manifest_invalid when the index cannot be taken apart.
boost::asio::awaitable<Result<StoredManifest>> obtain_filtered(PullParts* parts, ImageName image,
                                                               StoredManifest index,
                                                               std::vector<std::size_t> kept);

}  // namespace archway::proxy
