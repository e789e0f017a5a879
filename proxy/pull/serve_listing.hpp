#pragma once

#include "proxy/pull/asked.hpp"
#include "proxy/pull/parts.hpp"

#include <boost/asio/awaitable.hpp>
#include <memory>

namespace archway::proxy {

/// `tags/list`, as the upstream tells it; pages are asked for as the client asks, and the Link to
/// the next one leads back here.
///
/// Source: OCI Distribution Spec v1.1, section "Listing Tags".
boost::asio::awaitable<Result<Response>> serve_tags(PullParts* parts,
                                                    std::shared_ptr<const Asked> asked);

/// `referrers`: from the upstream's API; where it has none, from the tag that the specification's
/// fallback names (`sha256-<hex>`), which the cache keeps; else an empty index.
///
/// Source: OCI Distribution Spec v1.1, sections "Listing Referrers" and "Unavailable Referrers
/// API".
boost::asio::awaitable<Result<Response>> serve_referrers(PullParts* parts,
                                                         std::shared_ptr<const Asked> asked);

}  // namespace archway::proxy
