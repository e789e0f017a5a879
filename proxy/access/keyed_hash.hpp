#pragma once

#include <array>
#include <initializer_list>
#include <string>
#include <string_view>

namespace archway::proxy {

/// Hashes by which secrets are told apart without being kept: HMAC-SHA256 with a key that is
/// random, and forgotten with this object. Threads: any.
class KeyedHash {
 public:
  /// Throws std::runtime_error where the system has no randomness.
  KeyedHash();

  /// 32 bytes for these texts in this order; where one ends and the next begins counts, too.
  std::string of(std::initializer_list<std::string_view> texts) const;

 private:
  std::array<unsigned char, 32> key_{};
};

}  // namespace archway::proxy
