#pragma once

#include "resolver/model/result.hpp"

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace archway {

/// The name of some bytes: a hash algorithm and what it gave, e.g. `sha256:9f86d081…`.
///
/// Always valid: parse() and of() are the only ways in, so nobody downstream checks again. It holds
/// the raw hash (32 or 64 bytes), not the hex, and is trivially copyable: pass it by value, keep it
/// in a coroutine frame.
///
/// Source: OCI Image Spec v1.1, descriptor.md, section "Digests".
class Digest {
 public:
  enum class Algorithm : std::uint8_t { sha256, sha512 };

  /// Reads `<algorithm>:<lower-case hex>`; the whole text must match.
  ///
  /// Errors: Errc::digest_invalid; the message says what is wrong with the text.
  static Result<Digest> parse(std::string_view text);

  /// The digest with this raw hash; its length must be the algorithm's (32 or 64 bytes).
  ///
  /// Errors: Errc::digest_invalid.
  static Result<Digest> of(Algorithm algorithm, std::span<const std::uint8_t> hash);

  Algorithm algorithm() const noexcept { return algorithm_; }
  /// `sha256` or `sha512`.
  std::string_view algorithm_name() const noexcept;

  /// The raw hash; a view into this object.
  std::span<const std::uint8_t> bytes() const noexcept { return {hash_.data(), size()}; }

  /// The text that parse() reads.
  std::string str() const;
  /// The part behind the colon.
  std::string hex() const;

  friend auto operator<=>(const Digest&, const Digest&) = default;

 private:
  Digest() = default;
  std::size_t size() const noexcept { return algorithm_ == Algorithm::sha256 ? 32 : 64; }

  Algorithm algorithm_ = Algorithm::sha256;
  std::array<std::uint8_t, 64> hash_{};  // The tail past size() stays zero: <=> relies on it.
};

}  // namespace archway

template <>
struct std::hash<archway::Digest> {
  // A digest is uniformly distributed already: its first bytes are as good as any hash of it.
  std::size_t operator()(const archway::Digest& digest) const noexcept {
    std::size_t value = 0;
    for (std::size_t i = 0; i < sizeof value; ++i) value = value << 8 | digest.bytes()[i];
    return value;
  }
};
