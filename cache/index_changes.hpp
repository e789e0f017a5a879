#pragma once

#include "cache/lmdb.hpp"
#include "cache/records.hpp"

#include <cstdint>

namespace archway::cache {

/// Puts changes into a transaction, one Changes after the other, and keeps the sum of the blobs'
/// sizes. The transaction remembers its first failure.
///
/// Threads: the transaction's.
class IndexChanges {
 public:
  /// What is kept beside the tables.
  struct Sums {
    std::uint64_t blob_bytes = 0;
    bool recount = false;         ///< `blob_bytes` is not to be trusted
    std::int64_t last_check = 0;  ///< the latest BlobRecord::checked_at there was
  };
  IndexChanges(lmdb::WriteTxn& txn, const Sums& before) : txn_(txn), sums_(before) {}

  void put(const Changes& changes);

  /// After the last put(): the sums, which are in the transaction now.
  Sums put_sums();

 private:
  void put_blobs(const Changes& changes);
  void put_tags(const Changes& changes);
  void put_manifests(const Changes& changes);
  void put_grants(const Changes& changes);
  void put_seen(const Changes& changes);
  void put_images(const Changes& changes);
  void put_pins(const Changes& changes);
  bool is_known_better(const std::string& key, const BlobRecord& record) const;
  std::uint64_t counted_size(const std::string& key);
  GrantRecord record_after(const std::string& key, const Grant& grant) const;
  std::uint64_t sum_of_sizes() const;

  lmdb::WriteTxn& txn_;
  Sums sums_;
};

}  // namespace archway::cache
