#include "proxy/upstream/basic.hpp"

#include <openssl/evp.h>

namespace archway::proxy {

std::string basic_authorization(std::string_view user_info) {
  // EVP_EncodeBlock ends with a zero byte.
  std::string coded(4 * ((user_info.size() + 2) / 3) + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(coded.data()),
                                   reinterpret_cast<const unsigned char*>(user_info.data()),
                                   static_cast<int>(user_info.size()));
  coded.resize(static_cast<std::size_t>(size));
  return "Basic " + coded;
}

}  // namespace archway::proxy
