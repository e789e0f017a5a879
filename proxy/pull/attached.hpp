#pragma once

#include "resolver/model/digest.hpp"
#include "resolver/model/name.hpp"
#include "resolver/model/result.hpp"

#include <vector>

namespace archway::proxy {

/// The tag that lists what refers to a manifest where there is no API for it: `sha256-<hex>`.
///
/// Source: OCI Distribution Spec v1.1, section "Referrers Tag Schema".
Result<Tag> referrers_tag(const Digest& digest);

/// Where archway remembers the list itself: like a tag, by a name of its own.
Result<Tag> referrers_list_tag(const Digest& digest);
bool is_referrers_list(const Tag& tag);

/// Every tag by which something is attached to a manifest: both of the above, and cosign's `.sig`,
/// `.att` and `.sbom`. Source: cosign's specification of its signatures' storage.
std::vector<Tag> attached_tags(const Digest& digest);

}  // namespace archway::proxy
