#pragma once

#include "proxy/admin/parts.hpp"
#include "proxy/admin/query.hpp"
#include "proxy/http/message.hpp"

#include <boost/asio/awaitable.hpp>
#include <string>
#include <vector>

namespace archway::proxy {

/// The parameters of these endpoints (docs/api.md).
std::vector<Parameter> holdings_parameters();
std::vector<Parameter> remove_parameters();
std::vector<Parameter> import_parameters();

/// `GET /api/v1/holdings`: Holdings::list().
boost::asio::awaitable<Response> answer_holdings(AdminParts* parts, Query query);
/// `DELETE /api/v1/holdings/NAME[:TAG|@DIGEST]`: Holdings::remove(). 409 for what is pinned.
boost::asio::awaitable<Response> remove_holding(AdminParts* parts, std::string name, Query query);
/// `PUT` and `DELETE /api/v1/pins/NAME[:TAG|@DIGEST]`: Holdings::pin() and unpin().
boost::asio::awaitable<Response> put_pin(AdminParts* parts, std::string name);
boost::asio::awaitable<Response> delete_pin(AdminParts* parts, std::string name);

/// `PUT /api/v1/verify`, `/gc` and `/import`: begin a chore; 409 while another is under way.
Response begin_verify(const AdminParts& parts);
Response begin_gc(const AdminParts& parts);
Response begin_import(const AdminParts& parts, const Query& query);
/// `GET` and `DELETE /api/v1/work`: how far it is, and that it is to stop.
Response answer_work(const AdminParts& parts);
Response stop_work(const AdminParts& parts);

}  // namespace archway::proxy
