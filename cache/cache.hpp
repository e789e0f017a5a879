#pragma once

#include "cache/blob_file.hpp"
#include "cache/fill.hpp"
#include "cache/index.hpp"
#include "metrics/log.hpp"
#include "resolver/model/result.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <variant>

namespace archway::cache {

struct Options {
  std::filesystem::path directory;
  bool sync = true;  ///< `durability: strict`: fdatasync each blob before it is published
};

/// The front door of what is on disk.
///
/// DIR/lock, DIR/index/data.mdb, DIR/blobs/<algorithm>/ab/<hex>, DIR/fills/, DIR/quarantine/.
/// Threads: any. Lifetime: outlives every FillWriter it gave out; fills and files may outlive it.
class Cache {
 public:
  /// Makes the directories, takes the lock, opens the index, clears unfinished fills. Needs no
  /// network and does not look at the blobs (its time does not depend on their number).
  ///
  /// Errors: Errc::storage_failed; when another process holds the lock the message names it and
  /// `retryable` is true (exit code 75).
  static Result<std::unique_ptr<Cache>> open(const Options& options, metrics::Log* log);

  virtual ~Cache() = default;

  virtual Index& index() = 0;

  /// What there is of a blob: the file, a fill to follow, or a fill that the caller must now bring.
  struct Access {
    std::optional<BlobFile> blob = {};
    std::shared_ptr<Fill> fill = {};
    std::unique_ptr<FillWriter> writer = {};  ///< set for exactly one caller a fill
  };

  /// The complete file alone; nothing when it is absent or its size is not what the index says
  /// (then it is moved to quarantine and forgotten: a miss).
  virtual std::optional<BlobFile> open_blob(const Digest& digest) = 0;

  /// The file, else the running fill, else a new fill with its writer, begun under the image name
  /// `asker`: atomically, so that one object has one fill.
  virtual Access open_or_join(const Digest& digest, const std::string& asker) = 0;

  /// A running fill, if there is one.
  virtual std::shared_ptr<Fill> find_fill(const Digest& digest) const = 0;

  struct Stats {
    Index::Totals totals;
    std::uint64_t fills_in_progress = 0;
    std::uint64_t quarantined = 0;  ///< files moved to quarantine since the start
  };
  virtual Stats stats() const = 0;

  /// Where it all is, for messages.
  virtual const std::filesystem::path& directory() const = 0;
};

}  // namespace archway::cache
