#pragma once

#include "cache/index.hpp"
#include "cache/lmdb.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace archway::cache {

/// Sparse address space, so generous where there is plenty of it. It grows when it is full.
inline constexpr std::uint64_t map_bytes_default =
    sizeof(void*) == 8 ? std::uint64_t{8} << 30 : std::uint64_t{256} << 20;

/// The index's file, opened and known to be ours, before anything is read from it.
struct IndexFile {
  /// Where its content comes from.
  enum class Source : std::uint8_t { kept, snapshot, begun };

  std::filesystem::path directory;
  std::unique_ptr<lmdb::Environment> environment;  ///< null: none, and none can be made
  bool read_only = false;
  Source source = Source::kept;
  bool was_clean = true;            ///< its last process closed it in order; true for a new one
  bool marked = false;              ///< the file says that it is in use now
  std::int64_t suspect_before = 0;  ///< as Index has it
  std::optional<std::filesystem::path> set_aside = {};  ///< where an unusable predecessor went
  std::string set_aside_why = {};
};

/// Opens or makes the index in `directory`, whatever state its file is in: what cannot be used is
/// renamed (see rescue_index()), and the snapshot takes its place, or else a new one is begun.
/// Removes the header's clean flag; when the disk refuses that, `marked` is false and reading works
/// all the same.
///
/// All blobs there are become suspect when its last process did not close it and the machine has
/// been started anew since (the death of a process alone loses nothing that was written), or when
/// the file is not the one that last process had.
///
/// Errors: Errc::storage_failed.
Result<IndexFile> open_index_file(const std::filesystem::path& directory,
                                  std::uint64_t map_bytes = map_bytes_default);

/// Opens the index where nothing can be written: the file, else its snapshot, else none. Nothing is
/// set aside, marked or made.
IndexFile open_index_file_read_only(const std::filesystem::path& directory);

/// Writes the header, in use (`clean` false) or closed in order, and from when on blobs are not
/// suspect. A code of LMDB's.
int mark_index(lmdb::Environment& environment, bool clean, std::int64_t suspect_before);

/// The tables in an opened file, with their writer thread.
std::unique_ptr<Index> make_index(IndexFile file);

}  // namespace archway::cache
