#pragma once

#include "proxy/http/message.hpp"

#include <string>
#include <string_view>

namespace archway::test {

/// What Beast reads differently in a header block that was read as `request`; "" when it agrees on
/// the method, the target and every field.
std::string disagreement(std::string_view block, const proxy::Request& request);

}  // namespace archway::test
