#pragma once

#include "proxy/pull/asked.hpp"
#include "proxy/pull/parts.hpp"

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <vector>

namespace archway::proxy {

enum class ObjectKind { manifest, blob };

/// A name under which an object asked for by digest may be found.
struct Source {
  ImageName image;
  bool is_virtual = false;   ///< the name of a virtual image: its own indexes are found here alone
  bool is_published = true;  ///< its upstream can be asked for it
};

/// Where the objects of a name are looked for, in order: under the name that rewriting made of it,
/// then as it was asked for; instead of a virtual image's name under those of its members, and then
/// under its own for the indexes that archway made.
std::vector<Source> sources_of(const PullShared& shared, const Asked& asked);

/// The first source that is known to hold the object; if none is, the upstreams are asked in order,
/// and the first that has it counts. Where there is but one source nothing is asked at all.
///
/// Errors: when nobody has it: whatever went wrong otherwise, else that one of them denied it, else
/// Errc::manifest_unknown or Errc::blob_unknown naming all of them.
boost::asio::awaitable<Result<ImageName>> find_source(PullParts* parts,
                                                      std::shared_ptr<const Asked> asked,
                                                      Digest digest, ObjectKind kind);

/// The one name to ask for lists of tags: that of the image, or of a virtual image's first member.
ImageName listing_source(const PullShared& shared, const Asked& asked);

/// `platforms.allow` for what is asked for by digest: refuses an object that a grant says belongs
/// to an image for another platform; what is unknown is let through.
///
/// Errors: Errc::denied.
Result<void> check_allowed(const PullShared& shared, const Asked& asked, const Digest& digest);

}  // namespace archway::proxy
