#pragma once

#include "resolver/model/descriptor.hpp"
#include "resolver/model/media_type.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace archway::resolver {

inline constexpr std::size_t manifest_bytes_max = 4 * 1024 * 1024;
inline constexpr std::size_t manifest_depth_max = 64;
inline constexpr std::size_t manifest_entries_max = 10'000;

/// An index or manifest, read for decisions; the bytes themselves are kept elsewhere, unaltered.
///
/// Whoever says `interpretable == false` is passed on as it is and never decided upon: a document
/// that two readers could read differently (CVE-2021-41190), see `why`.
struct Manifest {
  ManifestKind kind = ManifestKind::other;
  std::string media_type = {};  ///< the Content-Type it came with
  bool interpretable = false;
  std::string why = {};                    ///< of `interpretable == false`: a sentence for the log
  std::vector<Descriptor> manifests = {};  ///< of an index, in its order
  std::optional<Descriptor> config = {};   ///< of a manifest
  std::vector<Descriptor> layers = {};     ///< of a manifest
  std::optional<Digest> subject = {};
  std::string artifact_type = {};
  /// Of a manifest: what its config says it runs on; filled in by whoever has read the config.
  std::optional<Platform> runs_on = {};
};

/// Reads manifest bytes. Not interpretable: not JSON, another `mediaType` inside than
/// `content_type`, `manifests` together with `layers` or `config`, duplicate keys at any level that
/// is read (also such that differ in case alone, and known ones in another case: Go's reader takes
/// them), a byte order mark, depth or entries over the bounds above, a descriptor without a valid
/// digest or size, a platform that is no printable text. Unknown members are ignored. Parameters of
/// `content_type` are not compared.
///
/// Source: OCI Image Spec v1.1, image-index.md and manifest.md; Docker schema 2. Threads: any; the
/// parser's buffers are per thread.
Manifest parse_manifest(std::string_view bytes, std::string_view content_type);

/// What a config blob says the image runs on; none when it is no such JSON or names no
/// architecture.
///
/// Source: OCI Image Spec v1.1, config.md.
std::optional<Platform> parse_config_platform(std::string_view bytes);

}  // namespace archway::resolver
