#pragma once

#include "resolver/model/result.hpp"

#include <filesystem>

namespace archway::proxy {

/// Puts an OCI image layout into one file, in place of what had that name: `oci-layout`,
/// `index.json` and the blobs, in this order. Other files of the folder stay out.
///
/// Errors: Errc::storage_failed. Source: POSIX.1-2017, pax, "ustar Interchange Format"; names and
/// sizes that do not fit it are written as GNU tar does.
Result<void> pack_tar(const std::filesystem::path& folder, const std::filesystem::path& tar);

/// Takes the files of an OCI image layout out of a tar file, whoever made it, into a folder that is
/// there. Nothing else of it is looked at: no name in it leads anywhere else.
///
/// Errors: Errc::request_invalid for a file that is no tar or is cut short; Errc::storage_failed.
Result<void> unpack_tar(const std::filesystem::path& tar, const std::filesystem::path& folder);

}  // namespace archway::proxy
