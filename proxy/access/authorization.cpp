#include "proxy/access/authorization.hpp"

#include "proxy/base64.hpp"
#include "resolver/model/text.hpp"

#include <algorithm>

namespace archway::proxy {
namespace {

constexpr std::size_t shown_bytes_max = 16 * 1024;

Error unreadable() {
  return {.code = Errc::request_invalid, .message = "the Authorization header cannot be read"};
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
}

Result<Shown> read_name_and_password(const std::string& plain) {
  const auto colon = plain.find(':');
  if (colon == std::string::npos || has_control(plain)) return unreadable();
  Shown shown;
  if (plain.size() == 1) return shown;
  shown.basic.emplace();
  shown.basic->username = plain.substr(0, colon);
  shown.basic->password = plain.substr(colon + 1);
  return shown;
}

Result<Shown> read_basic(std::string_view coded) {
  auto plain = from_base64(coded);
  if (!plain) return unreadable();
  auto shown = read_name_and_password(*plain);
  wipe(*plain);
  return shown;
}

Result<Shown> read_bearer(std::string_view token) {
  const bool visible =
      std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c < 0x7f; });
  if (token.empty() || !visible) return unreadable();
  return Shown{.bearer = std::string(token)};
}

}  // namespace

Result<Shown> read_authorization(const Fields& fields) {
  const auto lines = fields.all("Authorization");
  if (lines.empty()) return Shown();
  const auto line = trimmed(lines.front());
  if (lines.size() > 1 || line.size() > shown_bytes_max) return unreadable();
  const auto blank = std::min(line.find(' '), line.size());
  const auto rest = trimmed(line.substr(blank));
  if (equal_without_case(line.substr(0, blank), "Basic")) return read_basic(rest);
  if (equal_without_case(line.substr(0, blank), "Bearer")) return read_bearer(rest);
  return Shown();
}

}  // namespace archway::proxy
