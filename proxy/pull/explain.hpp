#pragma once

#include "proxy/pull/explanation.hpp"
#include "proxy/pull/parts.hpp"

#include <boost/asio/awaitable.hpp>
#include <memory>

namespace archway::proxy {

/// What this request for a manifest would get and why. It goes the way of a HEAD: manifests that
/// are not here are fetched and kept, blobs are only looked for (but the config of a single image,
/// and of one that its index gives no platform for). A failure is part of the explanation, and so
/// is a request for anything else than a manifest (400). Counts and logs nothing.
boost::asio::awaitable<Explanation> explain(PullParts* parts,
                                            std::shared_ptr<const Request> request);

}  // namespace archway::proxy
