#pragma once

#include "resolver/model/result.hpp"

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace archway::proxy {

inline constexpr std::size_t htpasswd_bytes_max = 1024 * 1024;

/// User names with bcrypt hashes. Errors: Errc::configuration_invalid, with the line; never with a
/// hash. Source: Apache's htpasswd(1), `-B`.
using Htpasswd = std::map<std::string, std::string, std::less<>>;
Result<Htpasswd> read_htpasswd(std::string_view text);

}  // namespace archway::proxy
