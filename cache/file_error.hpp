#pragma once

#include "resolver/model/error.hpp"

#include <string>
#include <string_view>

namespace archway::cache {

/// What a system error number means, e.g. "No space left on device".
std::string errno_text(int number);

/// The disk said no while an object was stored or read: the message tells a client no more than
/// that; `doing` ("write fills/…") and the error's text are for the log, which begins with "full"
/// when there is no room.
Error storage_error(std::string_view doing, int number);

/// True for such an error about a lack of room.
bool says_full(const Error& error);

/// The cache cannot be opened: read by the operator at the start, so the message itself says what
/// failed, where and why.
Error open_error(std::string_view doing, std::string_view why);

}  // namespace archway::cache
