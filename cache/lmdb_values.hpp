#pragma once

#include "cache/lmdb.hpp"

#include <cstddef>
#include <lmdb.h>
#include <string_view>

/// LMDB's words for ours; for lmdb*.cpp alone.
namespace archway::cache::lmdb {

// LMDB's interface has no const; it only reads what a key or a value to be put points at.
inline MDB_val to_val(std::string_view bytes) {
  return {.mv_size = bytes.size(), .mv_data = const_cast<char*>(bytes.data())};
}

inline std::string_view from_val(const MDB_val& val) {
  return {static_cast<const char*>(val.mv_data), val.mv_size};
}

inline std::size_t number(Table table) {
  return static_cast<std::size_t>(table);
}

}  // namespace archway::cache::lmdb
