#pragma once

#include "resolver/model/digest.hpp"
#include "resolver/model/name.hpp"
#include "resolver/model/platform.hpp"
#include "resolver/model/virtual_image.hpp"

#include <cstdint>
#include <optional>
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
  /// When its bytes were last hashed and right, on arrival or later: Index::checking_time() of
  /// then. 0: nobody knows; such a record takes the place of none that says more.
  std::int64_t checked_at = 0;

  friend bool operator==(const BlobRecord&, const BlobRecord&) = default;
};

/// Whence it is known that an image name holds a digest.
enum class Proof : std::uint8_t {
  named,  ///< a manifest of that name speaks of it, as anybody's manifest can of anything
  given   ///< the name's upstream gave the object itself, or said that the name has it
};

/// The fact that an image name holds a digest; without it a cached object is not served under that
/// name.
struct Grant {
  Grant(ImageName name, Digest what, std::string brought_for = {}, Proof known_by = Proof::named)
      : image(std::move(name)), digest(what), platform(std::move(brought_for)), proof(known_by) {}

  ImageName image;
  Digest digest;
  /// The platform whose image this object belongs to, in Platform::str()'s form; "" when unknown or
  /// for more than one. The first write decides; one that says anything else, also "", makes it "",
  /// and "" it stays: an object that somebody else may need is never claimed for one platform.
  std::string platform;
  /// What was given stays given, whoever names it later.
  Proof proof = Proof::named;
};

/// A grant as it is found.
struct GrantRecord {
  std::int64_t granted_at = 0;  ///< Unix time, seconds
  std::string platform = {};    ///< as in Grant
  Proof proof = Proof::named;

  friend bool operator==(const GrantRecord&, const GrantRecord&) = default;
};

/// Which platforms pull a tag.
struct SeenRecord {
  struct Puller {
    Platform platform;
    std::int64_t last_pull = 0;  ///< Unix time, seconds

    friend bool operator==(const Puller&, const Puller&) = default;
  };
  ImageName image;
  Tag tag;
  std::vector<Puller> pullers = {};  ///< at most seen_platforms_max, the latest first

  friend bool operator==(const SeenRecord&, const SeenRecord&) = default;
};
inline constexpr std::size_t seen_platforms_max = 32;

/// What an operator wants kept, whatever room that costs: a tag, or an image by its digest, with
/// everything that belongs to it.
struct PinRecord {
  ImageName image;
  Reference what;
  std::int64_t since = 0;  ///< Unix time, seconds

  friend bool operator==(const PinRecord&, const PinRecord&) = default;
};

/// Entries as the index's paged listings give them.
struct TagEntry {
  ImageName image;
  Tag tag;
  TagRecord record;

  friend bool operator==(const TagEntry&, const TagEntry&) = default;
};
struct BlobEntry {
  Digest digest;
  BlobRecord record;

  friend bool operator==(const BlobEntry&, const BlobEntry&) = default;
};
struct ManifestEntry {
  Digest digest;
  std::uint64_t size = 0;  ///< bytes

  friend bool operator==(const ManifestEntry&, const ManifestEntry&) = default;
};
struct GrantEntry {
  ImageName image;
  Digest digest;
  GrantRecord record;

  friend bool operator==(const GrantEntry&, const GrantEntry&) = default;
};

/// What one commit of the index changes, all or nothing.
struct Changes {
  std::vector<std::pair<std::pair<ImageName, Tag>, TagRecord>> tags = {};
  std::vector<std::pair<Digest, ManifestRecord>> manifests = {};
  std::vector<std::pair<Digest, BlobRecord>> blobs = {};
  std::vector<Grant> grants = {};
  std::vector<SeenRecord> seen = {};      ///< each in place of the record of that tag
  std::vector<VirtualImage> images = {};  ///< each in place of the one of that name and tag
  std::vector<PinRecord> pins = {};       ///< each in place of the one of that name and reference
  std::vector<std::pair<ImageName, Tag>> tags_gone = {};
  std::vector<Digest> manifests_gone = {};
  std::vector<Digest> blobs_gone = {};
  std::vector<std::pair<ImageName, Digest>> grants_gone = {};
  std::vector<std::pair<ImageName, Tag>> seen_gone = {};
  std::vector<std::pair<ImageName, std::optional<Tag>>> images_gone = {};
  std::vector<std::pair<ImageName, Reference>> pins_gone = {};
};

}  // namespace archway::cache
