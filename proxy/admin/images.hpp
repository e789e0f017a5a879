#pragma once

#include "proxy/admin/parts.hpp"
#include "proxy/admin/query.hpp"
#include "proxy/http/message.hpp"

#include <boost/asio/awaitable.hpp>
#include <string>
#include <vector>

namespace archway::proxy {

/// The parameters of `PUT /api/v1/images/NAME[:TAG]` (docs/api.md).
std::vector<Parameter> put_image_parameters();

/// `GET /api/v1/images`: all virtual images.
Response answer_images(const AdminParts& parts);

/// `PUT /api/v1/images/NAME[:TAG]`: makes or replaces a virtual image; members that are not there
/// are told, with `strict` they are a reason (409) to keep nothing. 409 for a configured one.
boost::asio::awaitable<Response> put_image(AdminParts* parts, std::string name, Query query);

/// `DELETE /api/v1/images/NAME[:TAG]`: 404 for one that is not there, 409 for a configured one.
boost::asio::awaitable<Response> delete_image(AdminParts* parts, std::string name);

}  // namespace archway::proxy
