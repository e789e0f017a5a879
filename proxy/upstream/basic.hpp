#pragma once

#include <string>
#include <string_view>

namespace archway::proxy {

/// `Basic …` for `name:password`. Source: RFC 7617.
std::string basic_authorization(std::string_view user_info);

}  // namespace archway::proxy
