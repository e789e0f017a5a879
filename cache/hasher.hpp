#pragma once

#include "resolver/model/digest.hpp"
#include "resolver/model/result.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

struct evp_md_ctx_st;  // OpenSSL's EVP_MD_CTX

namespace archway::cache {

/// The running hash of bytes that arrive in pieces.
///
/// Threads: one at a time.
class Hasher {
 public:
  explicit Hasher(Digest::Algorithm algorithm);
  Hasher(const Hasher&) = delete;
  Hasher& operator=(const Hasher&) = delete;
  ~Hasher();

  void update(std::span<const std::uint8_t> bytes);

  /// The digest of everything so far; once, as the last call.
  ///
  /// Errors: Errc::storage_failed when libcrypto failed at any step.
  Result<Digest> finish();

 private:
  Digest::Algorithm algorithm_;
  evp_md_ctx_st* context_;
  bool healthy_;
};

/// The digest of bytes that are all there. Errors: Errc::storage_failed when libcrypto failed.
Result<Digest> digest_of(Digest::Algorithm algorithm, std::string_view bytes);

/// The raw SHA-256 (32 bytes) of a short text: the index's keys for names of any length. Empty when
/// libcrypto failed.
std::string sha256(std::string_view text);

}  // namespace archway::cache
