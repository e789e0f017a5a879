#pragma once

#include "proxy/pull/parts.hpp"

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <string>

namespace archway::proxy {

inline constexpr int referrer_pages_max = 16;

/// The list of what refers to a manifest (signatures, SBOMs), whole and as the upstream has it:
/// from its API, all pages of it, or where it has none from the tag that the specification's
/// fallback names (`sha256-<hex>`); never from both. Kept like a tag and fresh as long as one:
/// then the upstream is asked once however many ask, and when it fails the stale list serves. No
/// referrers are a list of none.
///
/// Errors: the upstream's, when there is nothing to fall back on; Errc::upstream_failed for what is
/// no such list; Errc::manifest_invalid for one larger than any manifest.
///
/// Source: OCI Distribution Spec v1.1, sections "Listing Referrers" and "Unavailable Referrers
/// API".
boost::asio::awaitable<Result<StoredManifest>> obtain_referrers(PullParts* parts, ImageName image,
                                                                Digest digest);

/// The list with the entries of this artifact type alone; as it is when it cannot be read.
std::string of_artifact_type(const std::string& list, const std::string& artifact_type);

}  // namespace archway::proxy
