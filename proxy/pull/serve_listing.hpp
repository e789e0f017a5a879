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

/// `referrers`: the list of obtain_referrers(), of one artifact type where the client asks for it;
/// an image that is not there has none.
boost::asio::awaitable<Result<Response>> serve_referrers(PullParts* parts,
                                                         std::shared_ptr<const Asked> asked);

}  // namespace archway::proxy
