#pragma once

#include "proxy/pull/parts.hpp"

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <map>
#include <optional>

namespace archway::proxy {

/// What a tag stands for, before anything is chosen from it.
struct Tagged {
  StoredManifest manifest;
  metrics::Outcome outcome = metrics::Outcome::hit;  ///< the worst of tag and manifest
  bool cached = true;                                ///< it was here before this was asked
  std::optional<std::int64_t> stale_since = {};      ///< Unix time; of what is not known anew
  /// Of a virtual image's index, each child: where it is published, and as `cached` above.
  struct Child {
    ImageName image;
    bool cached = true;
  };
  std::map<Digest, Child> children = {};
};

/// Tag -> digest -> bytes, or digest -> bytes; `anew` as in resolve_tag(). Errors: the upstream's.
boost::asio::awaitable<Result<Tagged>> obtain_tagged(PullParts* parts, ImageName image,
                                                     Reference reference, bool anew = false);

}  // namespace archway::proxy
