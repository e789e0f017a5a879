#pragma once

#include "proxy/admin/parts.hpp"
#include "proxy/http/message.hpp"

#include <boost/asio/awaitable.hpp>
#include <memory>

namespace archway::proxy {

/// Answers what is below `/api/`, of methods that obey the guard. 404 lists what there is, 405 the
/// methods of a path that there is.
boost::asio::awaitable<Response> answer_api(AdminParts* parts,
                                            std::shared_ptr<const Request> request);

}  // namespace archway::proxy
