#pragma once

#include "proxy/command/online.hpp"
#include "proxy/config/read.hpp"
#include "proxy/config/settings.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <string>

namespace archway::proxy {

/// What `archway config check --json` prints: file, valid, problems (file, line, column, message)
/// and warnings; with `online` also upstreams and members, each with its error or null.
boost::json::object check_json(const std::string& file, const ReadOutcome& outcome,
                               const OnlineAnswers* online);

/// The settings as `config show` prints them, secrets masked: true, false and whole numbers as
/// such, everything else as text (`5m`, `50GiB`).
boost::json::value settings_json(const Settings& settings);

}  // namespace archway::proxy
