#pragma once

#include "cache/index.hpp"
#include "cache/lmdb.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace archway::cache {

/// Where a record is that cannot be read.
struct UnreadableRecord {
  lmdb::Table table;
  std::string key;
};

struct IndexAudit {
  Index::Audit found = {};
  /// The first of them, but of what the index says of itself.
  std::vector<UnreadableRecord> unreadable = {};
};
inline constexpr std::size_t unreadable_max = 10'000;

/// Reads every record of every table, in one transaction.
IndexAudit audit_index(const lmdb::Environment& environment);

/// Takes those away that still cannot be read.
void erase_unreadable(lmdb::WriteTxn& txn, const std::vector<UnreadableRecord>& records);

}  // namespace archway::cache
