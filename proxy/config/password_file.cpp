#include "proxy/config/password_file.hpp"

#include "proxy/config/small_file.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace archway::proxy {
namespace {

constexpr std::size_t secret_bytes_max = 64 * 1024;  ///< some registries take whole JSON keys

Error refused(const std::string& message) {
  return {.code = Errc::configuration_invalid, .origin = Origin::configuration, .message = message};
}

}  // namespace

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) == 0x7f;
  });
}

Result<PasswordFile> read_password_file(const std::filesystem::path& path) {
  auto file = read_small_file(path, secret_bytes_max);
  if (!file) return file.error();
  PasswordFile read{.password = std::move(file->text), .others_read = file->others_read};
  auto& password = read.password;
  if (password.ends_with('\n')) password.pop_back();
  if (password.ends_with('\r')) password.pop_back();
  if (password.empty()) return refused("the file " + path.string() + " is empty");
  if (!has_control(password)) return read;
  return refused("the password in " + path.string() +
                 " has line ends or other control characters in it");
}

}  // namespace archway::proxy
