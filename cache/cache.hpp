#pragma once

#include "cache/blob_file.hpp"
#include "cache/damage.hpp"
#include "cache/file_system.hpp"
#include "cache/fill.hpp"
#include "cache/index.hpp"
#include "cache/pins.hpp"
#include "cache/space_keeper.hpp"
#include "cache/verified.hpp"
#include "cache/write_errors.hpp"
#include "metrics/log.hpp"
#include "resolver/model/result.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <variant>

namespace archway::cache {

struct Options {
  std::filesystem::path directory;
  /// `durability: strict`: each blob is on the disk before it is published. Else (`relaxed`) the
  /// system may write it later: less wear, and what was fetched shortly before a power cut may have
  /// to be fetched again. In either case blobs are hashed again after one, before or while they are
  /// first served.
  bool sync = true;
  /// How long a blob is trusted before it is hashed again in idle time; 0: for ever.
  std::chrono::seconds scrub{0};
  /// Passed by nothing but what fills that run at once have reserved before it was reached.
  SpaceLimits limits = {};
  /// Nobody is meant to ask for images of this platform (as in Grant) any more: blobs that belong
  /// to such ones alone go first. Empty: there are none. Threads: any.
  std::function<bool(const std::string& platform)> excluded = {};
  /// What is pinned beside the index's pins, and what a manifest leads to. Threads: any.
  Pins::IsPinned is_pinned = {};
  Pins::RefersTo refers_to = {};
  /// Nobody has said how much of the disk is to stay free: on a small file system it is a tenth of
  /// it at most, instead of limits.keep_free.
  bool keep_free_is_default = false;
  /// What kind of file system the directory is on.
  std::function<std::optional<unsigned long>(const FileHandle&)> magic_of = file_system_magic;
};

/// The front door of what is on disk.
///
/// DIR/lock, DIR/index/data.mdb, DIR/blobs/<algorithm>/ab/<hex>, DIR/fills/, DIR/quarantine/.
/// Threads: any. Lifetime: outlives every FillWriter it gave out; fills and files may outlive it.
class Cache {
 public:
  /// Makes the directories, takes the lock, opens the index (in whatever state it is: see
  /// Index::open()). Needs no network and does not look at the blobs (its
  /// time does not depend on their number).
  ///
  /// A cache that cannot be written to, because of its file system or its permissions, serves what
  /// it has and refuses every fill at FillWriter::begin().
  ///
  /// Errors: Errc::configuration_invalid where its file system is shared with other machines, and
  /// for an index of a later format; Errc::storage_failed; when another process holds the lock the
  /// message names it and `retryable` is true (exit code 75).
  static Result<std::unique_ptr<Cache>> open(const Options& options, metrics::Log* log);

  virtual ~Cache() = default;

  virtual Index& index() = 0;

  /// What there is of a blob: the file, a fill to follow, or a fill that the caller must now bring.
  struct Access {
    std::optional<BlobFile> blob = {};
    std::shared_ptr<Fill> fill = {};
    std::unique_ptr<FillWriter> writer = {};  ///< set for exactly one caller a fill
  };

  /// The complete file alone; nothing when it is absent, or its size is not what the index says
  /// (then it is moved to quarantine and forgotten: a miss), or it is suspect: then open_or_join()
  /// has it.
  virtual std::optional<BlobFile> open_blob(const Digest& digest) = 0;

  /// The file, else the running fill, else a new fill with its writer, begun under the image name
  /// `asker`: atomically, so that one object has one fill.
  ///
  /// A blob that is suspect (see Index::suspect_before()) is followed like one that arrives: the
  /// cache hashes it by itself, and releases its end when it is right. If it is not, that fill
  /// fails with Errc::storage_failed, retryable, and whoever asks again brings it anew. Such a fill
  /// was begun by nobody: Fill::begun_by() is empty.
  virtual Access open_or_join(const Digest& digest, const std::string& asker) = 0;

  /// A running fill, if there is one.
  virtual std::shared_ptr<Fill> find_fill(const Digest& digest) const = 0;

  /// The file could not be read to the end of its size while it was served: it is hashed, and if it
  /// is wrong or still cannot be read it goes to quarantine, its record goes, and whoever asks next
  /// gets a new fill. Any number of those who read it may say so; one that has taken its place
  /// meanwhile stays, and so does one that the disk is to blame for. `why` is for the log. Blocks
  /// on the disk, for the whole of the file.
  virtual void report_damaged(const Digest& digest, const BlobFile& blob, std::string_view why) = 0;

  /// Hashes every blob, compares files and index both ways, and reads every record of the index,
  /// while everything else goes on; what is wrong is put right as it is found. `progress` may be
  /// empty. Blocks for as long as the disk takes to read all blobs.
  virtual Verified verify(const VerifyProgress& progress) = 0;

  struct Stats {
    Index::Totals totals;
    std::uint64_t fills_in_progress = 0;
    std::uint64_t quarantined = 0;           ///< files moved to quarantine since the start
    std::uint64_t rechecks_in_progress = 0;  ///< suspect blobs being hashed while they are served
    DamageCounts damaged = {};               ///< since the start, by FoundBy
    RefusalCounts refusals = {};             ///< what the disk did not take, by Refusal
    std::uint64_t scrubbed_bytes = 0;        ///< hashed again in idle time since the start
    bool read_only = false;                  ///< the disk takes nothing
    bool out_of_service = false;             ///< the disk cannot be read; see StoreHealth
    SpaceLimits limits = {};
    SpaceKeeper::Usage space = {};
    std::uint64_t disk_free = 0;  ///< bytes that the file system has left; 0 also when untold
    std::uint64_t in_use = 0;     ///< blobs that somebody reads
    bool reconciled = false;      ///< since the start all files and records were compared
  };
  virtual Stats stats() const = 0;

  /// Compares all files and records anew, in the background, as after a start.
  virtual void reconcile() = 0;

  /// What collect() took away.
  struct Collected {
    std::uint64_t blobs = 0;
    std::uint64_t blob_bytes = 0;
    std::uint64_t manifests = 0;
    std::uint64_t quarantined = 0;  ///< files
  };
  /// Brings the cache within its limits now, and removes what has no use any more: manifests that
  /// no tag, pin or grant leads to, files that have been in quarantine for a week. Takes as long as
  /// there is much of it. Errors: Errc::storage_failed; what went before is gone.
  virtual Result<Collected> collect() = 0;

  /// Where it all is, for messages.
  virtual const std::filesystem::path& directory() const = 0;

  /// These blobs go now, those that are in use or pinned excepted; `blobs` and `blob_bytes` of what
  /// comes back say how many went. Blocks on the disk. Errors: Errc::storage_failed; what went
  /// before is gone.
  virtual Result<Collected> remove(std::span<const Digest> blobs) = 0;
};

}  // namespace archway::cache
