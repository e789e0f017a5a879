#pragma once

#include "resolver/model/digest.hpp"
#include "resolver/model/platform.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace archway {

/// What a manifest says of another object.
///
/// Source: OCI Image Spec v1.1, descriptor.md and image-index.md.
struct Descriptor {
  std::string media_type;
  Digest digest;
  std::uint64_t size = 0;            ///< bytes; what the manifest claims, a hint until verified
  std::optional<Platform> platform;  ///< of an index entry, normalised; none when absent or empty
  std::string reference_type = {};   ///< annotation vnd.docker.reference.type, "" when absent
  std::optional<Digest> about = {};  ///< annotation vnd.docker.reference.digest, when valid
};

}  // namespace archway
