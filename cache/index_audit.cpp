#include "cache/index_audit.hpp"

#include "cache/record_codec.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace archway::cache {

Index::Audit audit_index(const lmdb::Environment& environment) {
  const lmdb::ReadTxn txn(environment);
  Index::Audit audit;
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < lmdb::table_count; ++i) {
    const auto table = static_cast<lmdb::Table>(i);
    const int code = txn.each(table, [&](std::string_view key, std::string_view value) {
      if (!codec::is_sealed(key, value)) {
        ++audit.damaged;
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
  return audit;
}

}  // namespace archway::cache
