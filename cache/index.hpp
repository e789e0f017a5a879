#pragma once

#include "cache/records.hpp"
#include "resolver/model/result.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace archway::cache {

/// The typed tables over LMDB: what is known of tags, manifests, blobs, grants, who pulls a tag,
/// and virtual images. Disposable: what it loses is fetched again, found in the blob files, or
/// learnt anew; only virtual images that were made while it ran have to be made again.
///
/// Threads: any. Reads are short, synchronous and copy values out; writes are queued to one writer
/// thread that groups them (at most 5 ms or 64 operations a commit).
class Index {
 public:
  using Done = std::function<void(Result<void>)>;

  /// Opens or makes the index in `directory`. A file that is no index of ours (another format or
  /// word size, garbage) is moved aside as index.bad-<time> and a new one is begun.
  ///
  /// Errors: Errc::storage_failed when neither works.
  static Result<std::unique_ptr<Index>> open(const std::filesystem::path& directory);

  virtual ~Index() = default;

  /// Each gives nothing for what is not there, or is there but damaged (a CRC-32C guards every
  /// value); damage is counted in `damaged()`.
  virtual std::optional<TagRecord> find_tag(const ImageName& image, const Tag& tag) const = 0;
  virtual std::optional<ManifestRecord> find_manifest(const Digest& digest) const = 0;
  virtual std::optional<BlobRecord> find_blob(const Digest& digest) const = 0;
  virtual std::optional<GrantRecord> find_grant(const ImageName& image,
                                                const Digest& digest) const = 0;
  bool granted(const ImageName& image, const Digest& digest) const {
    return find_grant(image, digest).has_value();
  }

  /// All of a table, at most `max`; damaged records are left out and counted. For start and
  /// listings: their time depends on how many there are.
  virtual std::vector<SeenRecord> all_seen(std::size_t max) const = 0;
  virtual std::vector<VirtualImage> all_images(std::size_t max) const = 0;

  /// Queues a commit. `done` (may be empty) is called once, on the writer thread, when it is
  /// durable or has failed (Errc::storage_failed).
  virtual void commit(Changes changes, Done done) = 0;

  struct Totals {
    std::uint64_t blobs = 0;
    std::uint64_t blob_bytes = 0;
    std::uint64_t manifests = 0;
    std::uint64_t tags = 0;
  };
  /// Kept up to date by the writer; reading costs nothing.
  virtual Totals totals() const = 0;
  virtual std::uint64_t damaged() const = 0;
};

}  // namespace archway::cache
