#pragma once

#include "cache/blob_check.hpp"
#include "cache/blob_keeper.hpp"
#include "cache/blob_store.hpp"
#include "cache/index.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace archway::cache {

/// Hashes again what was last hashed long ago, the oldest first, from the disk and not from memory:
/// bits rot where nobody looks. A chore for Housekeeping: at most 8 MiB a second, and nothing while
/// there is other work. Its memory does not depend on how many blobs there are.
///
/// Threads: step() from one; the rest from any.
class Scrub {
 public:
  static constexpr std::uint64_t bytes_a_second = 8 << 20;
  /// So many of the oldest are found by one walk through the index.
  static constexpr std::size_t due_max = 512;

  struct Parts {
    BlobStore* store;
    BlobKeeper* keeper;
    Index* index;
    std::function<bool()> is_busy;      ///< somebody waits for the disk
    std::function<std::int64_t()> now;  ///< Unix time, seconds
  };
  /// `period`: how long a blob is trusted; 0: for ever.
  Scrub(Parts parts, std::chrono::seconds period) : parts_(std::move(parts)), period_(period) {}

  /// The next piece; says in how long it wants to go on.
  std::chrono::milliseconds step();

  /// Read so far.
  std::uint64_t bytes() const { return bytes_; }

 private:
  bool is_due(const BlobRecord& record) const;
  bool round_is_over() const;
  std::chrono::milliseconds look_for_more();
  void begin_next();
  std::chrono::milliseconds read_on();
  void end(BlobCheck::State state);
  void flush();

  Parts parts_;
  std::chrono::seconds period_;
  std::atomic<std::uint64_t> bytes_ = 0;
  std::optional<Digest> after_;  // How far the walk through the index is.
  std::vector<BlobEntry> due_;   // While it walks a heap, the newest on top; then the oldest last.
  bool walking_ = false;
  std::optional<BlobCheck> check_;
  BlobStore::Found found_;  // What is being checked.
  std::vector<std::uint8_t> buffer_;
  std::vector<BlobKeeper::Passed> passed_;
};

}  // namespace archway::cache
