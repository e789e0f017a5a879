#include "cache/hasher.hpp"

#include <array>
#include <openssl/evp.h>

namespace archway::cache {
namespace {

// Fetched once: an implicit fetch looks the algorithm up by name each time.
const EVP_MD* method_of(Digest::Algorithm algorithm) {
  static const EVP_MD* const sha256_method = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  static const EVP_MD* const sha512_method = EVP_MD_fetch(nullptr, "SHA512", nullptr);
  return algorithm == Digest::Algorithm::sha256 ? sha256_method : sha512_method;
}

}  // namespace

Hasher::Hasher(Digest::Algorithm algorithm)
    : algorithm_(algorithm),
      context_(EVP_MD_CTX_new()),
      healthy_(context_ != nullptr &&
               EVP_DigestInit_ex2(context_, method_of(algorithm), nullptr) == 1) {}

Hasher::~Hasher() {
  EVP_MD_CTX_free(context_);
}

void Hasher::update(std::span<const std::uint8_t> bytes) {
  healthy_ = healthy_ && EVP_DigestUpdate(context_, bytes.data(), bytes.size()) == 1;
}

Result<Digest> Hasher::finish() {
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> hash{};
  unsigned length = 0;
  const bool whole = healthy_ && EVP_DigestFinal_ex(context_, hash.data(), &length) == 1;
  healthy_ = false;  // A second call would hash on from an end.
  if (!whole) {
    return Error{.code = Errc::storage_failed,
                 .origin = Origin::storage,
                 .message = "The object's digest could not be computed.",
                 .context = "libcrypto failed while hashing"};
  }
  return Digest::of(algorithm_, std::span(hash).first(length));
}

Result<Digest> digest_of(Digest::Algorithm algorithm, std::string_view bytes) {
  Hasher hasher(algorithm);
  hasher.update({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
  return hasher.finish();
}

std::string sha256(std::string_view text) {
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> hash{};
  unsigned length = 0;
  const auto* const method = method_of(Digest::Algorithm::sha256);
  if (EVP_Digest(text.data(), text.size(), hash.data(), &length, method, nullptr) != 1) return {};
  return {hash.begin(), hash.begin() + length};
}

}  // namespace archway::cache
