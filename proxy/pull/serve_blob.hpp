#pragma once

#include "proxy/pull/asked.hpp"
#include "proxy/pull/parts.hpp"

#include <boost/asio/awaitable.hpp>
#include <memory>

namespace archway::proxy {

/// A blob: from its file, or from the fill that brings it, joined or begun here. Answers as soon as
/// the upstream's headers are in; never waits for a whole blob.
///
/// Errors: the upstream's; Errc::range_unsatisfiable.
boost::asio::awaitable<Result<Response>> serve_blob(PullParts* parts,
                                                    std::shared_ptr<const Asked> asked);

}  // namespace archway::proxy
