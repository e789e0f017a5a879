#pragma once

#include "proxy/admin/parts.hpp"
#include "proxy/http/message.hpp"

#include <boost/asio/awaitable.hpp>

namespace archway::proxy {

/// `GET /api/v1/status`: what this process is and how full its cache is (docs/api.md).
boost::asio::awaitable<Response> answer_status(AdminParts* parts);

/// `GET /api/v1/listeners`: where clients come in, and what that says about them.
Response answer_listeners(const AdminParts& parts);

}  // namespace archway::proxy
