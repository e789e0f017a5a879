#pragma once

#include <cstdint>
#include <string_view>

namespace archway {

/// What a manifest's media type says it is; both families, OCI and Docker schema 2.
///
/// Source: OCI Image Spec v1.1, media-types.md; Docker Image Manifest Version 2, Schema 2.
enum class ManifestKind : std::uint8_t {
  index,     ///< OCI image index, Docker manifest list
  manifest,  ///< OCI image manifest, Docker image manifest
  other,     ///< schema 1, artifacts of other makers: passed on, never interpreted
};

namespace media_type {

inline constexpr std::string_view oci_index = "application/vnd.oci.image.index.v1+json";
inline constexpr std::string_view oci_manifest = "application/vnd.oci.image.manifest.v1+json";
inline constexpr std::string_view docker_list =
    "application/vnd.docker.distribution.manifest.list.v2+json";
inline constexpr std::string_view docker_manifest =
    "application/vnd.docker.distribution.manifest.v2+json";

}  // namespace media_type

/// The kind of a bare media type (no parameters, exact case).
constexpr ManifestKind kind_of(std::string_view type) noexcept {
  if (type == media_type::oci_index || type == media_type::docker_list) return ManifestKind::index;
  if (type == media_type::oci_manifest || type == media_type::docker_manifest) {
    return ManifestKind::manifest;
  }
  return ManifestKind::other;
}

}  // namespace archway
