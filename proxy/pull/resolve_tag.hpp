#pragma once

#include "proxy/pull/parts.hpp"

#include <boost/asio/awaitable.hpp>

namespace archway::proxy {

/// Tag -> digest: from the cache while it is fresh, else by one HEAD upstream however many ask,
/// else the stale one when the upstream fails. `anew`: asks also what is fresh.
///
/// Errors: the upstream's, when there is nothing to fall back on or it says that the tag is gone
/// (404) or not for us (401, 403), unless `serve_deleted`. What it says of the image is remembered
/// for `absent_for`.
boost::asio::awaitable<Result<ResolvedTag>> resolve_tag(PullParts* parts, ImageName image, Tag tag,
                                                        bool anew = false);

}  // namespace archway::proxy
