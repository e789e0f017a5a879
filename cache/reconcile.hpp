#pragma once

#include "cache/blob_store.hpp"
#include "cache/index.hpp"
#include "cache/space.hpp"
#include "resolver/model/digest.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace archway::cache {

/// The pass over everything after a start, and whenever it is asked for: records without a file go,
/// files without a record get one (suspect: nobody knows when their bytes were last right), and the
/// eviction policy learns of every blob in the order of their arrival. Then, again and again, which
/// blobs belong to excluded platforms alone.
///
/// In small pieces, each a page of the index or a directory of files, so that it holds nobody up.
/// Memory: 88 bytes a blob until the policy has them.
///
/// Threads: step() one at a time; the rest any. Lifetime: what it is given outlives it.
class Reconcile {
 public:
  /// Entries of the index that one piece looks at.
  static constexpr std::size_t page = 256;
  /// How long there is nothing to do after the last piece.
  static constexpr std::chrono::milliseconds idle{std::chrono::seconds(5)};
  static constexpr std::chrono::minutes ranks_every{10};

  using Excluded = std::function<bool(const std::string& platform)>;

  /// `excluded`: nobody is meant to ask for images of this platform (as in Grant); may be empty.
  Reconcile(BlobStore* store, Index* index, Space* space, Excluded excluded)
      : store_(store), index_(index), space_(space), excluded_(std::move(excluded)) {}

  /// Does the next piece; in how long there is another one.
  std::chrono::milliseconds step();

  /// A pass was finished since the start.
  bool is_done() const { return done_; }
  /// Begins anew, with the next piece.
  void begin_again() { again_ = true; }

 private:
  enum class Phase : std::uint8_t { records, policy, files, grants, rest };
  struct Known {
    std::int64_t arrived_at;
    Digest digest;
    std::uint64_t size;
  };

  void look_at_records();
  void tell_policy();
  void look_at_files();
  void adopt(const std::vector<Digest>& digests);
  void look_at_grants();
  void set_ranks();
  void go_to(Phase phase);

  BlobStore* store_;
  Index* index_;
  Space* space_;
  Excluded excluded_;
  std::atomic<bool> done_ = false;
  std::atomic<bool> again_ = false;
  Phase phase_ = Phase::records;
  std::optional<Digest> last_record_;
  std::vector<Known> known_;  // The oldest last, once the records are through.
  std::size_t directory_ = 0;
  std::optional<std::pair<ImageName, Digest>> last_grant_;
  std::unordered_map<Digest, bool> ranks_;  // True: all grants so far are of excluded platforms.
  std::chrono::steady_clock::time_point ranked_;
};

}  // namespace archway::cache
