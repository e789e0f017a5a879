#include "cache/paths.hpp"

namespace archway::cache::paths {
namespace {

std::string flat(const Digest& digest) {
  return std::string(digest.algorithm_name()) + "-" + digest.hex();
}

}  // namespace

std::string blob(const Digest& digest) {
  return blob_directory(digest) + "/" + digest.hex();
}

std::string blob_directory(const Digest& digest) {
  return std::string(blobs) + "/" + std::string(digest.algorithm_name()) + "/" +
         digest.hex().substr(0, 2);
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
