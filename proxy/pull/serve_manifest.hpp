#pragma once

#include "proxy/pull/asked.hpp"
#include "proxy/pull/decide.hpp"
#include "proxy/pull/parts.hpp"

#include <boost/asio/awaitable.hpp>
#include <memory>

namespace archway::proxy {

/// The manifest that a request gets, by tag or by digest. By digest: those very bytes, from the
/// name that has them. By tag: as decide_tag() decides.
///
/// `why` may be nullptr; else it is filled in and must live until the end.
///
/// Errors: the upstream's; Errc::denied when policy refuses (the message says what there is).
boost::asio::awaitable<Result<Decided>> decide_manifest(PullParts* parts,
                                                        std::shared_ptr<const Asked> asked,
                                                        Explanation* why);

/// The answer that it makes.
Response manifest_response(const Asked& asked, const Decided& decided);

/// Both, and what follows from an answer that is given: the log of a wrong platform, fetching
/// ahead.
///
/// Errors: decide_manifest()'s.
boost::asio::awaitable<Result<Response>> serve_manifest(PullParts* parts,
                                                        std::shared_ptr<const Asked> asked);

}  // namespace archway::proxy
