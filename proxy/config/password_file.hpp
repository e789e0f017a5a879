#pragma once

#include "resolver/model/result.hpp"

#include <filesystem>
#include <string>
#include <string_view>

namespace archway::proxy {

/// What a file that holds one password says; a line end behind it does not count.
struct PasswordFile {
  std::string password;
  bool others_read = false;  ///< its mode lets every user of the machine read it
};

/// Blocks. Errors: Errc::configuration_invalid: not readable, empty, or with control characters in
/// what should be a password; the message names the path.
Result<PasswordFile> read_password_file(const std::filesystem::path& path);

/// No user name and no password has such a character. Source: RFC 7617 section 2.
bool has_control(std::string_view text);

}  // namespace archway::proxy
