#pragma once

#include "cache/blob_file.hpp"
#include "cache/write_errors.hpp"
#include "metrics/log.hpp"
#include "resolver/model/digest.hpp"
#include "resolver/model/result.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace archway::cache {

/// The files: partial ones, complete ones, and what was found damaged. The file system alone says
/// which blobs there are. Directories that vanish are made again.
///
/// Threads: any, but one writer a digest.
class BlobStore {
 public:
  /// Partial files looked at by one remove_parts().
  static constexpr std::size_t parts_max = 10'000;
  /// So much of a blob is read to see whether the disk answers.
  static constexpr std::uint64_t probed_bytes_max = 16 << 20;

  /// `root` is DIR, open; with `sync` a published blob survives a power cut. `log` may be null.
  BlobStore(std::shared_ptr<const FileHandle> root, bool sync, metrics::Log* log)
      : root_(std::move(root)), sync_(sync), log_(log), write_errors_(log) {}

  /// Makes the top directories; not where nothing can be written: then every fill is refused, and
  /// nothing is moved or removed. `directory` is DIR's path, for messages.
  ///
  /// Errors: Errc::storage_failed, for the operator.
  Result<void> open(const std::filesystem::path& directory, bool read_only = false);

  /// The disk takes nothing: it was opened so, or has said so when it was last asked.
  bool read_only() const { return read_only_ || turned_read_only_; }
  /// Out of service nothing is found and nothing is taken, and no file is touched.
  void serve(bool in_service) { in_service_ = in_service; }
  bool in_service() const { return in_service_; }
  /// What is written now can be read from the disk. One that takes nothing (it is full, or
  /// read-only) answers when it reads the beginning of one of these blobs, if they are still there.
  /// Blocks on it.
  bool answers(std::span<const Digest> unreadable) const;
  /// Counts what the disk refused, an errno; the error to pass on.
  Error refused(std::string_view doing, int error);
  /// What it refused since the start.
  RefusalCounts refusals() const { return write_errors_.counts(); }

  struct Found {
    std::optional<BlobFile> blob = {};
    std::int64_t arrived_at = 0;    ///< Unix time, seconds; of the blob
    std::uint64_t file_number = 0;  ///< no other file has it as long as this one exists
    bool gone = false;              ///< there certainly is none (else: it could not be opened)
  };
  /// The blob's file. What stands in its place without being a plain file goes to quarantine.
  Found find(const Digest& digest);

  /// The blobs that have a file and whose hash begins with this byte, by the names alone.
  std::vector<Digest> in_shard(Digest::Algorithm algorithm, std::uint8_t first_byte) const;

  /// An empty file for the bytes of this digest, with room for `size` of them.
  ///
  /// Errors: Errc::storage_failed.
  Result<std::shared_ptr<const FileHandle>> create_part(const Digest& digest,
                                                        std::optional<std::uint64_t> size);

  struct Part {
    std::shared_ptr<const FileHandle> file;
    std::uint64_t size = 0;  ///< bytes that were written; after a power cut perhaps not these
  };
  /// What an earlier transfer of this digest left, if any. From this call (or create_part()) on the
  /// part is in use.
  std::optional<Part> open_part(const Digest& digest);
  /// Sets room aside for the rest of a part.
  ///
  /// Errors: Errc::storage_failed.
  Result<void> reserve_part(const Digest& digest, const Part& part,
                            std::optional<std::uint64_t> size);

  void remove_part(const Digest& digest);
  /// It stays for open_part(), and nobody uses it now.
  void leave_part(const Digest& digest);
  /// Removes the partial files that nobody uses and nobody has written to for so long: all of them
  /// when it is 0. The bytes that came free. Blocks on the disk.
  std::uint64_t remove_parts(std::chrono::seconds unused_for);
  /// How many partial files there are.
  std::size_t parts() const;

  /// Gives the verified partial file its final name, in the one order that survives a crash at any
  /// point: the bytes, the name, the directory. The index comes after it.
  ///
  /// Errors: Errc::storage_failed; the blob is not published then, the partial file is still there.
  Result<void> publish(const Digest& digest, const FileHandle& part, std::uint64_t size);

  /// True when whatever was published is on the disk; without `sync` that takes its time.
  bool settle() const;

  /// What became of a file that is not to be served any more.
  enum class Removal : std::uint8_t {
    done,       ///< it is out of the way now
    gone,       ///< it was before: there is no file of that name, or it is another one
    impossible  ///< it still has the blob's name
  };
  /// Moves the blob that the caller has open (and no other that took its place) out of the way, or
  /// removes it when there is no way to move it.
  Removal quarantine(const Digest& digest, const BlobFile& seen, std::string_view why);

  struct Facts {
    std::uint64_t size = 0;       ///< bytes
    std::int64_t arrived_at = 0;  ///< Unix time, seconds
  };
  /// Of the blob's file, without opening it; nothing when there is none, or no plain file.
  std::optional<Facts> facts(const Digest& digest) const;
  /// It is certain that the name has no file, or none that holds bytes. A disk that does not answer
  /// makes nothing certain.
  bool is_missing(const Digest& digest) const;

  /// Takes the blob's name away; what it held stays readable for those who have it open. False when
  /// there was none, or it cannot be done.
  bool remove(const Digest& digest) const;
  /// Makes what was removed show in free_bytes(), where the file system does not by itself.
  void show_removed() const;
  /// What may still be written, as cache::free_bytes() tells.
  std::optional<std::uint64_t> free_bytes() const;
  /// How large the file system is.
  std::optional<std::uint64_t> disk_bytes() const;

  /// Removes what has been in quarantine for so long; how many files.
  std::uint64_t remove_quarantined(std::chrono::seconds for_at_least) const;

  /// Files taken out of the way since the start.
  std::uint64_t quarantined() const { return quarantined_; }

 private:
  void use_part(const Digest& digest);
  int make_directory(const std::string& path);
  Result<std::unique_ptr<const FileHandle>> open_blob_directory(const Digest& digest);
  Result<bool> give_name(const Digest& digest, std::uint64_t size);
  int replace(const Digest& digest) const;
  int rename_part(const Digest& digest) const;
  void set_aside_odd(const Digest& digest);
  bool move_away(const Digest& digest, std::string_view why);

  std::shared_ptr<const FileHandle> root_;
  bool sync_;
  metrics::Log* log_;
  WriteErrors write_errors_;
  bool read_only_ = false;
  std::atomic<bool> turned_read_only_ = false;
  std::atomic<bool> in_service_ = true;
  std::atomic<std::uint64_t> quarantined_ = 0;
  std::mutex mutex_;             // For looking at a name and then moving it; and for the next.
  std::set<std::string> known_;  // Directories that this process made durable.
  mutable std::mutex parts_mutex_;
  std::unordered_set<Digest> parts_in_use_;  // Guarded by parts_mutex_.
};

}  // namespace archway::cache
