#pragma once

#include <string.h>  // explicit_bzero is the C library's own
#include <string>

namespace archway::proxy {

/// Overwrites a secret, with what a longer one left behind its end, and leaves the text empty.
inline void wipe(std::string& secret) {
  secret.resize(secret.capacity());
  ::explicit_bzero(secret.data(), secret.size());
  secret.clear();
}

}  // namespace archway::proxy
