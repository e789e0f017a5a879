#include "proxy/upstream/login.hpp"

#include "proxy/base64.hpp"
#include "proxy/wipe.hpp"

#include <array>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <utility>

namespace archway::proxy {
namespace {

using Key = std::array<unsigned char, 32>;

/// Without the key nobody can tell a mark's password by trying.
const Key& process_key() {
  static const Key key = [] {
    Key made{};
    RAND_bytes(made.data(), static_cast<int>(made.size()));
    return made;
  }();
  return key;
}

std::string mark_of(const std::string& username, const std::string& password) {
  std::string text = username + '\n' + password;  // No user name has a line end in it.
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  const auto& key = process_key();
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), &size);
  wipe(text);
  return to_base64(std::string(digest.begin(), digest.begin() + size));
}

}  // namespace

Login::Login(std::string username, std::string password)
    : username_(std::move(username)),
      password_(std::move(password)),
      mark_(mark_of(username_, password_)) {}

Login::~Login() {
  wipe(username_);
  wipe(password_);
}

std::string Login::basic() const {
  std::string text = username_ + ":" + password_;
  std::string coded = to_base64(text);
  wipe(text);
  std::string field("Basic ");
  field.reserve(field.size() + coded.size());
  field += coded;
  wipe(coded);
  return field;
}

}  // namespace archway::proxy
