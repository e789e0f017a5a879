#pragma once

#include "resolver/model/result.hpp"

#include <filesystem>
#include <optional>
#include <string>

namespace archway::cache {

/// What was done about an index's file before anybody opened it.
struct Rescue {
  std::optional<std::filesystem::path> set_aside = {};  ///< where an unusable one went
  std::string why = {};                                 ///< it was unusable
  bool from_snapshot = false;                           ///< the last snapshot has taken its place
};

/// Why this file cannot be an index; nothing when it can, or when only opening it will tell. Its
/// damage cannot harm the caller.
std::optional<std::string> index_fault(const std::filesystem::path& file);

/// Looks at the index's file in `directory` in a way that its damage cannot harm. One that is none,
/// or not whole, or that twice took too long to read, is renamed to index.bad-<time> there (the
/// newest such file is kept), and the snapshot takes its place if that one is sound. Afterwards
/// there is a sound file or none.
///
/// Errors: Errc::configuration_invalid for one of a later format, which is not touched;
/// Errc::storage_failed, for the operator, when it cannot be moved.
Result<Rescue> rescue_index(const std::filesystem::path& directory);

/// The same for a file that the caller has found unusable for `why`.
Result<Rescue> replace_index(const std::filesystem::path& directory, const std::string& why);

}  // namespace archway::cache
