#include "cache/paths.hpp"

namespace archway::cache::paths {
namespace {

std::string flat(const Digest& digest) {
  return std::string(digest.algorithm_name()) + "-" + digest.hex();
}

}  // namespace

std::string_view name(Digest::Algorithm algorithm) {
  return algorithm == Digest::Algorithm::sha256 ? "sha256" : "sha512";
}

std::string blob(const Digest& digest) {
  return blob_directory(digest) + "/" + digest.hex();
}

std::string blob_directory(const Digest& digest) {
  return shard(digest.algorithm(), digest.bytes()[0]);
}

std::string shard(Digest::Algorithm algorithm, std::uint8_t first_byte) {
  constexpr std::string_view digits = "0123456789abcdef";
  auto path = std::string(blobs) + "/" + std::string(name(algorithm)) + "/";
  path += digits[first_byte / 16];
  path += digits[first_byte % 16];
  return path;
}

std::string part(const Digest& digest) {
  return std::string(fills) + "/" + flat(digest) + std::string(part_suffix);
}

std::string quarantined(const Digest& digest) {
  return std::string(quarantine) + "/" + flat(digest);
}

std::string bad_index(std::int64_t unix_time_s) {
  return std::string(bad_index_prefix) + std::to_string(unix_time_s);
}

}  // namespace archway::cache::paths
