#include "resolver/model/digest.hpp"

#include "resolver/model/shown.hpp"

#include <algorithm>
#include <type_traits>

namespace archway {
namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";
constexpr std::size_t shown_max = 160;  // A digest is at most 135 characters; more is not echoed.

Error invalid(std::string_view text, std::string_view why) {
  return {.code = Errc::digest_invalid,
          .origin = Origin::client,
          .message = shown(text, shown_max) + " is not a digest: " + std::string(why)};
}

}  // namespace

static_assert(std::is_trivially_copyable_v<Digest>, "a Digest is a key and a coroutine local");

Result<Digest> Digest::parse(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) {
    return invalid(text, "expected sha256:<64 hex digits> or sha512:<128 hex digits>");
  }
  Digest digest;
  const auto algorithm = text.substr(0, colon);
  if (algorithm == "sha256") {
    digest.algorithm_ = Algorithm::sha256;
  } else if (algorithm == "sha512") {
    digest.algorithm_ = Algorithm::sha512;
  } else {
    return invalid(text, "the algorithms known here are sha256 and sha512");
  }
  const auto hex = text.substr(colon + 1);
  if (hex.size() != digest.size() * 2) {
    return invalid(text, "it has " + std::to_string(hex.size()) + " characters behind the colon, " +
                             std::to_string(digest.size() * 2) + " are needed");
  }
  for (std::size_t i = 0; i < hex.size(); ++i) {
    const auto value = hex_digits.find(hex[i]);
    if (value == std::string_view::npos) return invalid(text, "only 0-9 and a-f may stand there");
    auto& byte = digest.hash_[i / 2];
    byte = static_cast<std::uint8_t>(std::size_t{byte} << 4 | value);
  }
  return digest;
}

Result<Digest> Digest::of(Algorithm algorithm, std::span<const std::uint8_t> hash) {
  Digest digest;
  digest.algorithm_ = algorithm;
  if (hash.size() != digest.size()) return invalid("(raw)", "the hash has another length");
  std::copy(hash.begin(), hash.end(), digest.hash_.begin());
  return digest;
}

std::string_view Digest::algorithm_name() const noexcept {
  return algorithm_ == Algorithm::sha256 ? "sha256" : "sha512";
}

std::string Digest::str() const {
  return std::string(algorithm_name()) + ":" + hex();
}

std::string Digest::hex() const {
  std::string text;
  text.reserve(size() * 2);
  for (const auto byte : bytes()) {
    text += hex_digits[byte >> 4];
    text += hex_digits[byte & 15];
  }
  return text;
}

}  // namespace archway
