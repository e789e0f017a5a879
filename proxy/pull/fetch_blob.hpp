#pragma once

#include "proxy/pull/parts.hpp"

#include <boost/asio/awaitable.hpp>
#include <memory>

namespace archway::proxy {

/// The upstream's answer where the cache did not take a byte of it: whoever asked can read it by
/// itself. Threads: one, that of whoever asked.
struct Untaken {
  std::shared_ptr<BlobStream> stream;  ///< from the blob's beginning; null where there is none
};

/// Brings one blob from its upstream into a fill: the server's own job, nobody's request. Network
/// and disk work overlap; a transfer that is cut goes on by Range where it stopped, a bounded
/// number of times without progress. Ends the fill in every case; `untaken` is set before it ends.
boost::asio::awaitable<void> fetch_blob(PullParts* parts, ImageName image, Digest digest,
                                        std::shared_ptr<cache::FillWriter> writer,
                                        std::shared_ptr<Untaken> untaken);

}  // namespace archway::proxy
