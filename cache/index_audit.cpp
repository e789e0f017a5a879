#include "cache/index_audit.hpp"

#include "cache/record_codec.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace archway::cache {

IndexAudit audit_index(const lmdb::Environment& environment) {
  const lmdb::ReadTxn txn(environment);
  IndexAudit result;
  auto& audit = result.found;
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < lmdb::table_count; ++i) {
    const auto table = static_cast<lmdb::Table>(i);
    const int code = txn.each(table, [&](std::string_view key, std::string_view value) {
      if (!codec::is_sealed(key, value)) {
        ++audit.damaged;
        if (table != lmdb::Table::meta && result.unreadable.size() < unreadable_max) {
          result.unreadable.push_back({.table = table, .key = std::string(key)});
        }
      } else if (table == lmdb::Table::blobs) {
        const auto record = codec::read_blob(key, value);
        if (record) bytes += record->size;
      }
      return true;
    });
    if (code != 0) ++audit.damaged;
  }
  const auto key = codec::blob_bytes_key();
  const auto got = txn.get(lmdb::Table::meta, key);
  const auto sum = got.found ? codec::read_number(key, got.value) : std::nullopt;
  audit.sums_right = sum.value_or(0) == bytes;
  return result;
}

void erase_unreadable(lmdb::WriteTxn& txn, const std::vector<UnreadableRecord>& records) {
  for (const auto& [table, key] : records) {
    const auto got = txn.get(table, key);
    if (got.found && !codec::is_sealed(key, got.value)) txn.erase(table, key);
  }
}

}  // namespace archway::cache
