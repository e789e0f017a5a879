#include "proxy/config/htpasswd.hpp"

#include <algorithm>

namespace archway::proxy {
namespace {

constexpr std::size_t hash_size = 60;
constexpr std::string_view hash_letters =
    "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// `$2y$10$` and 53 letters; a cost with which a check still ends.
bool is_bcrypt(std::string_view hash) {
  if (hash.size() != hash_size || !hash.starts_with("$2")) return false;
  if (std::string_view("aby").find(hash[2]) == std::string_view::npos) return false;
  if (hash[3] != '$' || hash[6] != '$') return false;
  const auto cost = hash.substr(4, 2);
  if (cost < "04" || cost > "16" || cost.find_first_not_of("0123456789") != cost.npos) return false;
  return hash.find_first_not_of(hash_letters, 7) == std::string_view::npos;
}

Error unusable(std::size_t line, std::string_view what) {
  return {.code = Errc::configuration_invalid,
          .origin = Origin::configuration,
          .message = "line " + std::to_string(line) + ": " + std::string(what)};
}

}  // namespace

Result<Htpasswd> read_htpasswd(std::string_view text) {
  Htpasswd users;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto end = std::min(text.find('\n'), text.size());
    auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.starts_with('#')) continue;
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0) {
      return unusable(number, "allowed: NAME:HASH, as `htpasswd -B` writes it");
    }
    if (!is_bcrypt(line.substr(colon + 1))) {
      return unusable(number,
                      "the password is not hashed with bcrypt (cost 4 to 16), as "
                      "`htpasswd -B` does it");
    }
    users.insert_or_assign(std::string(line.substr(0, colon)), std::string(line.substr(colon + 1)));
  }
  return users;
}

}  // namespace archway::proxy
