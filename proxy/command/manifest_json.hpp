#pragma once

#include "resolver/model/platform.hpp"
#include "resolver/model/result.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <string>
#include <string_view>

namespace archway::proxy {

/// What docker's command line indents with: an index by three blanks, a manifest by a tab.
inline constexpr std::string_view index_indent = "   ";
inline constexpr std::string_view manifest_indent = "\t";

/// Reads a JSON document, nested at most 64 levels. Errors: Errc::manifest_invalid.
Result<boost::json::value> parse_json(std::string_view text);

/// Valid JSON with one member a line, strings and numbers letter for letter as they are: what Go's
/// json.Indent gives.
std::string indented_json(std::string_view json, std::string_view indent);

/// The members `os`, `architecture`, `variant`, `os.version` and `os.features` of a platform or a
/// config, letter for letter: not normalised.
Platform written_platform(const boost::json::object& object);

/// A platform as docker writes one: architecture and os always, the rest where there is any.
boost::json::object platform_json(const Platform& platform);

}  // namespace archway::proxy
