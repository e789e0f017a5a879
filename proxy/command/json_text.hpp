#pragma once

#include "proxy/command/admin_answer.hpp"
#include "resolver/model/result.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace archway::proxy {

/// With two blanks an indentation; lists of plain values stay on one line. Ends with a newline.
std::string pretty_json(const boost::json::value& value);

/// What an admin answer with status 200 says: an object, or a list.
///
/// Errors: Errc::upstream_failed for another status, with the gateway's own words, and for what is
/// no such JSON.
Result<boost::json::object> read_admin_json(const AdminAnswer& answer);
Result<boost::json::array> read_admin_list(const AdminAnswer& answer);

/// Members of an object that somebody else wrote: "", 0, false or empty where one is not there or
/// of another kind.
std::string text_in(const boost::json::object& object, std::string_view name);
std::uint64_t number_in(const boost::json::object& object, std::string_view name);
bool flag_in(const boost::json::object& object, std::string_view name);
const boost::json::object& object_in(const boost::json::object& object, std::string_view name);
const boost::json::array& list_in(const boost::json::object& object, std::string_view name);
/// The texts of a list, others left out.
std::vector<std::string> texts_in(const boost::json::object& object, std::string_view name);

}  // namespace archway::proxy
