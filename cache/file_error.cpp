#include "cache/file_error.hpp"

#include <cerrno>
#include <system_error>

namespace archway::cache {

std::string errno_text(int number) {
  return std::generic_category().message(number);
}

Error storage_error(std::string_view doing, int number) {
  const bool full = number == ENOSPC || number == EDQUOT || number == EFBIG;
  return {.code = Errc::storage_failed,
          .origin = Origin::storage,
          .message = full ? "The disk of archway's cache is full."
                          : "The disk of archway's cache failed; its log says how.",
          .context = std::string(full ? "full: " : "") + "cannot " + std::string(doing) + ": " +
                     errno_text(number)};
}

bool says_full(const Error& error) {
  return error.code == Errc::storage_failed && error.context.starts_with("full");
}

Error open_error(std::string_view doing, std::string_view why) {
  return {.code = Errc::storage_failed,
          .origin = Origin::storage,
          .message =
              "The cache cannot be opened: cannot " + std::string(doing) + ": " + std::string(why)};
}

}  // namespace archway::cache
