#pragma once

#include "proxy/pull/explanation.hpp"
#include "proxy/pull/parts.hpp"
#include "resolver/client_platform.hpp"

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <optional>
#include <string>

namespace archway::proxy {

/// The manifest that a request gets.
struct Decided {
  StoredManifest manifest;
  std::optional<Digest> index = {};                  ///< what it was chosen or made from
  metrics::Outcome outcome = metrics::Outcome::hit;  ///< the worst of tag, index and manifest
  std::optional<std::int64_t> stale_since = {};  ///< Unix time; when a stale tag was last checked
  /// Manifests inside an index, or configs, had a say: those that could not be had count as empty.
  bool looked_inside = false;
  std::string warning = {};  ///< for the `Warning` header and the log; "" : none
  /// The name its parts come from: another than the one asked for when a virtual image's member.
  ImageName from;
};

/// Decides for a tag: what the tag means now (a virtual image's index is made here), then the
/// verdict for this client, then what that names. `image` is already rewritten.
///
/// `why` may be nullptr; else it is filled in and must live until the end. `anew`: a fresh tag is
/// asked for, too.
///
/// Errors: the upstream's; Errc::denied when policy refuses.
boost::asio::awaitable<Result<Decided>> decide_tag(PullParts* parts, ImageName image, Tag tag,
                                                   resolver::ClientPlatform client,
                                                   Explanation* why, bool anew = false);

}  // namespace archway::proxy
