#pragma once

#include "cache/records.hpp"
#include "resolver/model/result.hpp"

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace archway::cache {

/// The typed tables over LMDB: what is known of tags, manifests, blobs, grants, who pulls a tag,
/// virtual images, and pins. Disposable: what it loses is fetched again, found in the blob files,
/// or learnt anew; only virtual images and pins that were made while it ran have to be made again.
///
/// Threads: any. Reads are short, synchronous and copy values out; writes are queued to one writer
/// thread that groups them (at most 5 ms or 64 operations a commit).
class Index {
 public:
  using Done = std::function<void(Result<void>)>;

  /// Opens or makes the index in `directory`. A file that is damaged or no index of ours (another
  /// format or word size, garbage) is moved aside as index.bad-<time>; its last snapshot takes its
  /// place, or else a new one is begun.
  ///
  /// Errors: Errc::storage_failed when none of that works.
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
  virtual std::vector<PinRecord> all_pins(std::size_t max) const = 0;

  /// The next entries of a table behind the one given (which need not be there), or from the
  /// beginning, at most `max`; fewer: that was the end. Their order is the table's own and always
  /// the same; damaged ones are left out and counted. Each call is a short transaction of its own,
  /// so a walk through all of a table sees what is changed meanwhile in part.
  virtual std::vector<TagEntry> tags_after(const std::optional<std::pair<ImageName, Tag>>& after,
                                           std::size_t max) const = 0;
  virtual std::vector<BlobEntry> blobs_after(const std::optional<Digest>& after,
                                             std::size_t max) const = 0;
  virtual std::vector<ManifestEntry> manifests_after(const std::optional<Digest>& after,
                                                     std::size_t max) const = 0;
  virtual std::vector<GrantEntry> grants_after(
      const std::optional<std::pair<ImageName, Digest>>& after, std::size_t max) const = 0;

  /// Queues a commit. `done` (may be empty) is called once, on the writer thread, when it is
  /// durable or has failed (Errc::storage_failed).
  virtual void commit(Changes changes, Done done) = 0;

  /// Blobs whose BlobRecord::checked_at is before this are suspect: the machine went down while
  /// they may not have been on the disk yet, or nobody knows where their records come from. Unix
  /// time, seconds; never earlier than the latest check there was, whatever the clock says since.
  virtual std::int64_t suspect_before() const { return 0; }
  /// The time to write down for a blob that was hashed just now: such a one is not suspect.
  std::int64_t checking_time() const {
    return std::max<std::int64_t>(std::time(nullptr), suspect_before());
  }

  /// From now on it is closed as if its process had died: the blobs' files may not be on the disk.
  virtual void leave_in_use() {}

  struct Totals {
    std::uint64_t blobs = 0;
    std::uint64_t blob_bytes = 0;
    std::uint64_t manifests = 0;
    std::uint64_t tags = 0;
  };
  /// Kept up to date by the writer; reading costs nothing.
  virtual Totals totals() const = 0;
  virtual std::uint64_t damaged() const = 0;

  struct Audit {
    std::uint64_t damaged = 0;  ///< records that cannot be read, in all tables
    bool sums_right = true;     ///< totals() are what the records give
  };
  /// Reads every record there is. By the next commit sums that are wrong are counted anew, and
  /// records that cannot be read are taken away.
  virtual Audit audit() { return {}; }

  /// Commits so far that changed anything.
  virtual std::uint64_t commits() const { return 0; }
  /// What the index takes on the disk, in bytes.
  virtual std::uint64_t file_bytes() const { return 0; }
  /// Writes the copy that takes the index's place should it be damaged one day. Also taken when the
  /// index is closed, if anything has changed since the last one.
  ///
  /// Errors: Errc::storage_failed; the snapshot before is still there then.
  virtual Result<void> snapshot() { return {}; }
};

}  // namespace archway::cache
