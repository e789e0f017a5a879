#pragma once

#include <string_view>

namespace archway::resolver {

/// True when `pattern` matches the whole of `text`: `*` is any run (slashes too), `?` any one
/// character, `[a-z]` one of a set, `[!a-z]` one not of it, `\` takes the next character as it is.
/// An unclosed `[` is that character. As fnmatch(3) without flags, but bytes whatever the locale,
/// and never slower than the product of both lengths.
bool glob_matches(std::string_view pattern, std::string_view text);

}  // namespace archway::resolver
