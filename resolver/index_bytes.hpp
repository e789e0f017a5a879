#pragma once

#include "resolver/model/descriptor.hpp"
#include "resolver/model/result.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

/// Indexes as bytes: for those that archway makes itself. The same input gives the same bytes on
/// every machine, so that the digest stays.
namespace archway::resolver {

/// The entries of an index as they are written, in its order; views into `bytes`, without the white
/// space around them. For an index that parse_manifest() finds interpretable.
///
/// Errors: Errc::manifest_invalid.
Result<std::vector<std::string_view>> raw_entries(std::string_view bytes);

/// The index with only the entries at `kept` (ascending), each byte for byte; its other members
/// stay as they are written and in their order, but `subject`, which spoke of the whole.
///
/// Errors: Errc::manifest_invalid, also for a position that is not there.
Result<std::string> filtered_index(std::string_view bytes, const std::vector<std::size_t>& kept);

/// An OCI index of these entries, each already JSON.
std::string make_index(std::string_view media_type, const std::vector<std::string>& entries);

/// A descriptor as JSON: mediaType, digest, size, platform (architecture, os, os.version,
/// os.features, variant; what is empty is left out).
///
/// Source: OCI Image Spec v1.1, descriptor.md and image-index.md.
std::string descriptor_json(const Descriptor& descriptor);

}  // namespace archway::resolver
