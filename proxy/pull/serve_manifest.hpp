#pragma once

#include "proxy/pull/asked.hpp"
#include "proxy/pull/parts.hpp"

#include <boost/asio/awaitable.hpp>
#include <memory>

namespace archway::proxy {

/// A manifest, by tag or by digest. By digest: those very bytes. By tag: the child for the client's
/// platform where one is stated, else the bytes as they are.
///
/// Errors: the upstream's; Errc::denied when policy refuses (the message says what there is).
boost::asio::awaitable<Result<Response>> serve_manifest(PullParts* parts,
                                                        std::shared_ptr<const Asked> asked);

}  // namespace archway::proxy
