#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace archway {

/// What went wrong, in the registry's own vocabulary where the specification has a word for it.
///
/// Source: OCI Distribution Spec v1.1, section "Error Codes" (first block); ours follow. Which
/// HTTP status each becomes is decided in one place, proxy/pull/refusal.
enum class Errc : std::uint8_t {
  blob_unknown,      ///< this image name has no such blob
  digest_invalid,    ///< the text is not a digest, or not one whose algorithm we know
  manifest_invalid,  ///< bytes that are no manifest, or exceed a bound on manifests
  manifest_unknown,  ///< this image name has no such tag or manifest
  name_invalid,      ///< not a repository name or tag by the specification's grammar
  name_unknown,      ///< no such repository, or an upstream that is not configured
  denied,            ///< the upstream or a policy says no
  unauthorized,      ///< credentials are needed, which the client can show
  unsupported,       ///< a part of the API that archway does not have

  request_invalid,        ///< HTTP that we refuse to interpret
  range_unsatisfiable,    ///< a Range that starts past the end
  platform_invalid,       ///< not `os/architecture[/variant]`
  upstream_unreachable,   ///< no answer in time: name, connection, TLS or silence
  upstream_failed,        ///< an answer that makes no sense, or bytes that are not what they claim
  upstream_busy,          ///< the upstream asks to come back later (429, 503)
  overloaded,             ///< a bound of archway itself is reached
  storage_failed,         ///< LMDB or the file system said no
  configuration_invalid,  ///< a setting that cannot be used
};

/// Whose fault it is: picks the log level and the `origin` label of every error metric.
enum class Origin : std::uint8_t { client, upstream, storage, configuration };

/// An expected failure: a value that travels up through Result<T>, never a throw.
struct Error {
  Errc code;
  Origin origin = Origin::client;
  std::string message;       ///< for the client: one sentence a person can act on; no secrets
  std::string context = {};  ///< for the operator's log: hosts, paths, errno texts; no secrets
  bool retryable = false;    ///< the same request may succeed later without anybody's doing
  std::uint32_t retry_after_s = 0;  ///< what the upstream asked for, in seconds; 0: it did not say
};

/// The specification's upper-case code, e.g. "BLOB_UNKNOWN"; for codes of our own the nearest
/// registered one, because clients print codes they do not know as "unknown".
std::string_view wire_name(Errc code) noexcept;

/// The code as a log word and metric label, e.g. "blob_unknown".
std::string_view name(Errc code) noexcept;
std::string_view name(Origin origin) noexcept;

}  // namespace archway
