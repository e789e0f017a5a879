#pragma once

#include <boost/json/object.hpp>
#include <string>

namespace archway::proxy {

/// An explanation (`GET /api/v1/explain`, docs/api.md) in sentences, one step a line, in the order
/// in which the gateway decides. `terminal`: the entries are a table for people.
std::string explain_text(const boost::json::object& explanation, bool terminal);

}  // namespace archway::proxy
