#pragma once

#include "resolver/model/digest.hpp"
#include "resolver/model/name.hpp"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace archway::cache {

/// What a tag meant when it was last asked for.
struct TagRecord {
  Digest digest;
  std::int64_t checked_at = 0;  ///< Unix time, seconds

  friend bool operator==(const TagRecord&, const TagRecord&) = default;
};

/// An index or manifest, byte for byte, with the Content-Type it came with.
struct ManifestRecord {
  std::string media_type;
  std::string bytes;

  friend bool operator==(const ManifestRecord&, const ManifestRecord&) = default;
};

/// A blob file's facts; the file itself is the truth.
struct BlobRecord {
  std::uint64_t size = 0;       ///< bytes
  std::int64_t arrived_at = 0;  ///< Unix time, seconds

  friend bool operator==(const BlobRecord&, const BlobRecord&) = default;
};

/// What one commit of the index changes, all or nothing. A grant is the fact that an image name
/// holds a digest; without it a cached object is not served under that name.
struct Changes {
  std::vector<std::pair<std::pair<ImageName, Tag>, TagRecord>> tags = {};
  std::vector<std::pair<Digest, ManifestRecord>> manifests = {};
  std::vector<std::pair<Digest, BlobRecord>> blobs = {};
  std::vector<std::pair<ImageName, Digest>> grants = {};
  std::vector<std::pair<ImageName, Tag>> tags_gone = {};
  std::vector<Digest> blobs_gone = {};
};

}  // namespace archway::cache
