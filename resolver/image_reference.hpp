#pragma once

#include "resolver/model/name.hpp"
#include "resolver/model/result.hpp"

#include <string>
#include <string_view>

namespace archway::resolver {

/// An image as people write it on a command line, in its full form.
struct ImageReference {
  ImageName image;  ///< `upstream` is the registry's host, `docker.io` where none was written
  Reference reference;

  /// `docker.io/library/golang:1.22`, `ghcr.io/org/app@sha256:…`.
  std::string str() const;
};

/// Reads `golang`, `golang:1.22`, `user/app@sha256:…`, `localhost:5000/app:1`: what has a dot, a
/// colon or is `localhost` before the first slash is a registry; without one it is Docker Hub,
/// where a single word is `library/WORD`; without tag and digest it is `latest`. With tag and
/// digest the digest counts, as for docker. `index.docker.io` and `registry-1.docker.io` are
/// `docker.io`.
///
/// Errors: Errc::name_invalid, Errc::digest_invalid.
///
/// Source: github.com/distribution/reference, "Normalize".
Result<ImageReference> parse_image(std::string_view text);

}  // namespace archway::resolver
