#include "resolver/model/error.hpp"

namespace archway {

std::string_view wire_name(Errc code) noexcept {
  switch (code) {
    case Errc::blob_unknown: return "BLOB_UNKNOWN";
    case Errc::digest_invalid: return "DIGEST_INVALID";
    case Errc::manifest_invalid: return "MANIFEST_INVALID";
    case Errc::manifest_unknown: return "MANIFEST_UNKNOWN";
    case Errc::name_invalid: return "NAME_INVALID";
    case Errc::name_unknown: return "NAME_UNKNOWN";
    case Errc::denied: return "DENIED";
    case Errc::unauthorized: return "UNAUTHORIZED";
    case Errc::upstream_busy: return "TOOMANYREQUESTS";
    case Errc::overloaded: return "TOOMANYREQUESTS";
    case Errc::unsupported:
    case Errc::request_invalid:
    case Errc::range_unsatisfiable:
    case Errc::platform_invalid:
    case Errc::upstream_unreachable:
    case Errc::upstream_failed:
    case Errc::storage_failed:
    case Errc::configuration_invalid: return "UNSUPPORTED";
  }
  return "UNSUPPORTED";
}

std::string_view name(Errc code) noexcept {
  switch (code) {
    case Errc::blob_unknown: return "blob_unknown";
    case Errc::digest_invalid: return "digest_invalid";
    case Errc::manifest_invalid: return "manifest_invalid";
    case Errc::manifest_unknown: return "manifest_unknown";
    case Errc::name_invalid: return "name_invalid";
    case Errc::name_unknown: return "name_unknown";
    case Errc::denied: return "denied";
    case Errc::unauthorized: return "unauthorized";
    case Errc::unsupported: return "unsupported";
    case Errc::request_invalid: return "request_invalid";
    case Errc::range_unsatisfiable: return "range_unsatisfiable";
    case Errc::platform_invalid: return "platform_invalid";
    case Errc::upstream_unreachable: return "upstream_unreachable";
    case Errc::upstream_failed: return "upstream_failed";
    case Errc::upstream_busy: return "upstream_busy";
    case Errc::overloaded: return "overloaded";
    case Errc::storage_failed: return "storage_failed";
    case Errc::configuration_invalid: return "configuration_invalid";
  }
  return "unknown";
}

std::string_view name(Origin origin) noexcept {
  switch (origin) {
    case Origin::client: return "client";
    case Origin::upstream: return "upstream";
    case Origin::storage: return "storage";
    case Origin::configuration: return "configuration";
  }
  return "unknown";
}

}  // namespace archway
