#pragma once

#include "resolver/model/name.hpp"
#include "resolver/model/platform.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace archway::resolver {

/// What a request asks for, read from its method and target alone.
///
/// Source: OCI Distribution Spec v1.1, section "Endpoints"; the platform prefixes and `?ns=` are
/// described in README.md ("Who gets what") and containerd's docs/hosts.md.
struct Route {
  enum class Kind : std::uint8_t { ping, manifest, blob, tags, referrers };

  Kind kind = Kind::ping;
  std::string name = {};  ///< as written, may start with an upstream's host; "" for ping
  std::optional<Reference> reference = {};  ///< manifest: what by
  std::optional<Digest> digest = {};        ///< blob, referrers: of what
  std::optional<Platform> platform = {};    ///< said by the path
  std::string ns = {};                      ///< `?ns=`, as written
  std::string artifact_type = {};           ///< referrers: `?artifactType=`
  std::optional<std::uint64_t> n = {};      ///< tags: `?n=`
  std::string last = {};                    ///< tags: `?last=`
};

/// A word for logs and metrics: "ping", "manifest", "blob", "tags", "referrers".
std::string_view name(Route::Kind kind) noexcept;

/// Reads a target (origin form: path and query). Every form of the design is understood:
/// `/v2/…`, `/platform/<token>/v2/…` and `/v2/platform/<token>/…`; a percent sign in the path is
/// never decoded but refused (only the query is decoded).
///
/// Errors: Errc::unsupported (405) for parts of the API that archway does not have (uploads,
/// catalog), with a message that says so; Errc::name_invalid, digest_invalid, platform_invalid for
/// malformed parts; Errc::name_unknown (404) for any other path; Errc::request_invalid for a bad
/// query (`n` not a number…).
Result<Route> parse_route(std::string_view target);

}  // namespace archway::resolver
