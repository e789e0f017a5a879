#pragma once

#include "cache/index.hpp"
#include "cache/lmdb.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace archway::cache {

/// Sparse address space, so generous where there is plenty of it; never changed while open.
inline constexpr std::uint64_t map_bytes_default =
    sizeof(void*) == 8 ? std::uint64_t{8} << 30 : std::uint64_t{256} << 20;

/// The index's file, opened and known to be ours, before anything is read from it.
struct IndexFile {
  std::unique_ptr<lmdb::Environment> environment;
  bool was_clean = true;  ///< its last process closed it in order; true for a new one
  bool marked = false;    ///< the file says that it is in use now
  std::optional<std::filesystem::path> set_aside = {};  ///< where an unusable predecessor went
  std::string set_aside_why = {};
};

/// Opens or makes the index in `directory`. What is no index of ours is renamed to index.bad-<time>
/// there (the newest such file is kept, older ones are removed) and a new one is begun. Removes the
/// header's clean flag; when the disk refuses that, `marked` is false and reading works all the
/// same.
///
/// Errors: Errc::storage_failed.
Result<IndexFile> open_index_file(const std::filesystem::path& directory,
                                  std::uint64_t map_bytes = map_bytes_default);

/// Writes the header: in use (`clean` false) or closed in order. A code of LMDB's.
int mark_index(lmdb::Environment& environment, bool clean);

/// The tables in an opened file, with their writer thread.
std::unique_ptr<Index> make_index(IndexFile file);

}  // namespace archway::cache
