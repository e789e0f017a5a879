#pragma once

#include "proxy/config/settings.hpp"

#include <string>
#include <string_view>

namespace archway::proxy {

/// What stands in place of a password.
inline constexpr std::string_view masked_secret = "********";

/// Settings as a configuration that reads back as the same settings, passwords masked. With
/// `comments`: every key explained, those without a value as examples.
std::string print_settings(const Settings& settings, bool comments);

}  // namespace archway::proxy
