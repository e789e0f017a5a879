#pragma once

#include "proxy/admin/parts.hpp"
#include "proxy/admin/query.hpp"
#include "proxy/http/message.hpp"

#include <boost/asio/awaitable.hpp>
#include <vector>

namespace archway::proxy {

/// The parameters of `GET /api/v1/upstreams` (docs/api.md).
std::vector<Parameter> upstreams_parameters();

/// `GET /api/v1/upstreams`: the upstreams as they are configured; with `check` each is asked for
/// its API, all at once and for ten seconds at most.
boost::asio::awaitable<Response> answer_upstreams(AdminParts* parts, Query query);

}  // namespace archway::proxy
