#pragma once

#include "proxy/admin/parts.hpp"
#include "proxy/admin/query.hpp"
#include "proxy/http/message.hpp"

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <vector>

namespace archway::proxy {

/// The parameters of `GET /api/v1/explain` (docs/api.md).
std::vector<Parameter> explain_parameters();

/// A request for a manifest as the client that `query` describes would send it. What is not said:
/// asked with HEAD, on the first listener, from 127.0.0.1, accepting what containerd accepts.
///
/// Errors: Errc::request_invalid for parameters of no use. What a gateway refuses in a client's
/// request is none: that is for explain() to say.
Result<std::shared_ptr<const Request>> request_to_explain(
    const Query& query, const Settings& settings, const std::vector<Settings::Listener>& listeners);

/// `GET /api/v1/explain`: 200 with explanation_json(), whatever the client would get.
boost::asio::awaitable<Response> answer_explain(AdminParts* parts, Query query);

}  // namespace archway::proxy
