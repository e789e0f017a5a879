#pragma once

#include "proxy/command/finding.hpp"
#include "proxy/config/settings.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <optional>
#include <string>

namespace archway::proxy {

/// What the gateway says of itself (`GET /api/v1/status`).
Finding check_process(const boost::json::object& status, const std::string& endpoint);

/// The cache directory of the same.
Finding check_cache(const boost::json::object& status);

/// One for each upstream (`GET /api/v1/upstreams?check=1`).
Findings check_upstreams(const boost::json::array& upstreams);

/// The gateway's clock, from the Date field of its answer, against this machine's: `now` is Unix
/// time in seconds. A clock that is wrong makes certificates invalid and keeps tags for ever.
Finding check_clock(const std::string& date, std::int64_t now);

/// Seconds since 1970 from `Sun, 06 Nov 1994 08:49:37 GMT`; none for another form.
///
/// Source: RFC 9110 section 5.6.7 (IMF-fixdate).
std::optional<std::int64_t> unix_time(const std::string& date);

/// What a client gets (`GET /api/v1/explain`); `stated`: somebody says which platform it is.
Finding check_answer(const std::string& client, const boost::json::object& explanation,
                     bool stated);

}  // namespace archway::proxy
