#pragma once

#include "cache/blob_check.hpp"
#include "cache/blob_file.hpp"
#include "cache/blob_store.hpp"
#include "cache/damage.hpp"
#include "cache/index.hpp"
#include "resolver/model/digest.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace archway::cache {

/// Who counts the blobs hears of what comes to light; each may be empty. Threads: any.
struct BlobBooks {
  std::function<void(const Digest&, std::uint64_t size)> found = {};  ///< it has no record
  std::function<void(const Digest&, std::uint64_t size)> gone = {};
  /// The disk cannot read it. True when the disk, not the blob, is to blame: then it stays.
  std::function<bool(const Digest&)> unreadable = {};
};

/// The blob files together with what the index says of them: which may be served as they are, which
/// have to be hashed before, and which are damaged.
///
/// Threads: any.
class BlobKeeper {
 public:
  /// Blobs that were found right while the index could not take it down; past that they are hashed
  /// again each time.
  static constexpr std::size_t settled_max = 64 * 1024;

  /// Both outlive it, and what `books` calls, too.
  BlobKeeper(BlobStore* store, Index* index, BlobBooks books = {})
      : store_(store), index_(index), books_(std::move(books)) {}

  struct Seen {
    std::optional<BlobFile> blob = {};
    std::int64_t arrived_at = 0;  ///< Unix time, seconds; of the blob
    bool suspect = false;         ///< its bytes may not be what was once verified
  };
  /// The blob, if there is one of the right size. What it finds wrong it puts right: a file of
  /// another size goes to quarantine, a record without a file goes.
  Seen open(const Digest& digest);
  /// The same without putting anything right: one open(2), and a page or two of the index.
  Seen look(const Digest& digest) const;

  /// A blob whose file was hashed and is right.
  struct Passed {
    Digest digest;
    std::uint64_t size = 0;
    std::int64_t arrived_at = 0;
  };
  /// From now on these are not suspect; the index learns of it in a commit that nobody waits for.
  void passed(const std::vector<Passed>& blobs);

  /// This very file is damaged: it goes to quarantine, its record goes, and it is counted once. One
  /// that has taken its place stays.
  void condemn(const Digest& digest, const BlobFile& blob, std::string_view why, FoundBy by);
  /// The same for a file that was found wrong by being read, unless the disk is to blame. `why` is
  /// for the log where there is more to say than the check knows.
  void condemn(const BlobCheck& check, FoundBy by, std::string_view why = {});
  /// There is no such blob: its record goes. `size` as it was counted.
  void forget(const Digest& digest, std::uint64_t size);

  /// Since the start.
  DamageCounts damaged() const;

 private:
  bool is_suspect(const Digest& digest, const std::optional<BlobRecord>& record) const;
  BlobStore::Found find(const Digest& digest) const;
  bool ban(const Digest& digest, const BlobFile& blob);

  BlobStore* store_;
  Index* index_;
  BlobBooks books_;
  mutable std::mutex mutex_;
  DamageCounts damaged_{};                            // Guarded by mutex_, as are the next two.
  std::unordered_set<Digest> settled_;                // Right, but not yet so in the index.
  std::unordered_map<Digest, std::uint64_t> banned_;  // By digest, the file's number.
  std::atomic<bool> any_banned_ = false;
};

}  // namespace archway::cache
