#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>

namespace archway::cache {

/// What an index's file turned out to be.
enum class Finding : std::uint8_t {
  sound_and_clean,  ///< closed in order by its last process
  sound,            ///< whole, but left open
  foreign,          ///< no index, or one of an earlier format or of another machine
  newer,            ///< of a later format than ours: a later archway wrote it
  damaged,
  unreadable,  ///< it could not be looked at, which says nothing about it
};

/// Reads everything in the file: every record's CRC, the order of the keys, what each page is used
/// for. A file that was closed in order is read for `clean_time` at most and then taken for sound:
/// such a one must not delay the start.
///
/// The damage may end the process: to be called in one that nobody will miss.
Finding check_index(const std::filesystem::path& file, std::chrono::milliseconds clean_time);

}  // namespace archway::cache
