#pragma once

#include "proxy/admin/parts.hpp"
#include "proxy/admin/query.hpp"
#include "proxy/http/message.hpp"

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <vector>

namespace archway::proxy {

inline constexpr std::size_t cached_digests_max = 256;

/// The parameters of `GET /api/v1/cached` (docs/api.md).
std::vector<Parameter> cached_parameters();

/// `GET /api/v1/cached`: which of these digests are in the cache and would be served under this
/// name (after rewriting, and for a virtual image under a name of its members) without asking
/// anyone.
boost::asio::awaitable<Response> answer_cached(AdminParts* parts, Query query);

}  // namespace archway::proxy
