#pragma once

#include "resolver/model/digest.hpp"

#include <cstdint>
#include <string>
#include <string_view>

/// Every name below the cache's directory, relative to it; no other file knows one. Names of
/// objects are made of a Digest's hex alone, so none of them can lead out of the directory.
namespace archway::cache::paths {

inline constexpr const char* lock = "lock";
inline constexpr const char* index = "index";
inline constexpr const char* blobs = "blobs";
inline constexpr const char* fills = "fills";
inline constexpr const char* quarantine = "quarantine";
/// Written and read to see whether the disk answers; there for a moment only.
inline constexpr const char* probe = "probe";

/// Inside `index`: LMDB's own name for its file, and the beginning of the names of indexes that
/// could not be used.
inline constexpr const char* index_data = "data.mdb";
inline constexpr std::string_view bad_index_prefix = "index.bad-";

/// Inside `index`, too: LMDB's copy of its file, and the same while it is being written.
inline constexpr const char* index_snapshot = "snapshot.mdb";
inline constexpr const char* index_snapshot_unfinished = "snapshot.tmp";

/// The ending of every partial file in `fills`.
inline constexpr std::string_view part_suffix = ".part";

/// `sha256`
std::string_view name(Digest::Algorithm algorithm);
/// `blobs/sha256/ab/abcdef…`
std::string blob(const Digest& digest);
/// `blobs/sha256/ab`
std::string blob_directory(const Digest& digest);
/// The same for all blobs of an algorithm whose hash begins with this byte.
std::string shard(Digest::Algorithm algorithm, std::uint8_t first_byte);
/// `fills/sha256-abcdef….part`
std::string part(const Digest& digest);
/// `quarantine/sha256-abcdef…`
std::string quarantined(const Digest& digest);
/// `index.bad-<seconds>`, inside `index`.
std::string bad_index(std::int64_t unix_time_s);

}  // namespace archway::cache::paths
