#include "proxy/access/keyed_hash.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdexcept>

namespace archway::proxy {

KeyedHash::KeyedHash() {
  if (RAND_bytes(key_.data(), static_cast<int>(key_.size())) != 1) {
    throw std::runtime_error("the system gives no random bytes");
  }
}

std::string KeyedHash::of(std::initializer_list<std::string_view> texts) const {
  std::string joined;
  for (const auto text : texts) {
    joined += std::to_string(text.size()) + ":";
    joined += text;
  }
  std::string hash(32, '\0');
  const auto* made = HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()),
                          reinterpret_cast<const unsigned char*>(joined.data()), joined.size(),
                          reinterpret_cast<unsigned char*>(hash.data()), nullptr);
  if (made == nullptr) throw std::runtime_error("HMAC-SHA256 failed");
  return hash;
}

}  // namespace archway::proxy
