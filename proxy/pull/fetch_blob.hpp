#pragma once

#include "proxy/pull/parts.hpp"

#include <boost/asio/awaitable.hpp>
#include <memory>

namespace archway::proxy {

/// Brings one blob from its upstream into a fill: the server's own job, nobody's request. Network
/// and disk work overlap; a transfer that is cut goes on by Range where it stopped, a bounded
/// number of times without progress. Ends the fill in every case.
boost::asio::awaitable<void> fetch_blob(PullParts* parts, ImageName image, Digest digest,
                                        std::shared_ptr<cache::FillWriter> writer);

}  // namespace archway::proxy
