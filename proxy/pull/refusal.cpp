#include "proxy/pull/refusal.hpp"

#include "proxy/http/error_field.hpp"
#include "proxy/upstream/status.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace archway::proxy {
namespace {

std::string error_document(std::string_view code, std::string_view message) {
  boost::json::object entry;
  entry["code"] = code;
  entry["message"] = message;
  boost::json::object document;
  document["errors"] = boost::json::array{std::move(entry)};
  return boost::json::serialize(document) + "\n";
}

Response document(std::uint16_t status, std::string_view code, std::string_view message) {
  Response response{.status = status};
  response.fields.add("Content-Type", "application/json");
  response.fields.add("Docker-Distribution-Api-Version", "registry/2.0");
  response.fields.add(error_field, message);
  response.body = bytes_body(error_document(code, message));
  return response;
}

}  // namespace

std::uint16_t status_of(const Error& error) {
  switch (error.code) {
    case Errc::blob_unknown:
    case Errc::manifest_unknown:
    case Errc::name_unknown: return 404;
    case Errc::digest_invalid:
    case Errc::name_invalid:
    case Errc::platform_invalid:
    case Errc::request_invalid: return 400;
    case Errc::denied: return 403;
    case Errc::unauthorized: return 401;
    case Errc::unsupported: return 405;
    case Errc::range_unsatisfiable: return 416;
    case Errc::upstream_unreachable: return 504;
    case Errc::manifest_invalid:
    case Errc::upstream_failed: return 502;
    case Errc::upstream_busy:
    case Errc::overloaded: return 503;
    case Errc::storage_failed:
    case Errc::configuration_invalid: return 500;
  }
  return 500;
}

Response refusal(const Error& error) {
  const auto status = status_of(error);
  Response response = document(status, wire_name(error.code), error.message);
  if (status == 503) {
    const auto wait = error.retry_after_s > 0 ? error.retry_after_s : retry_after_s_default;
    response.fields.add("Retry-After", std::to_string(wait));
  }
  if (status == 401) response.fields.add("WWW-Authenticate", "Basic realm=\"archway\"");
  if (status == 405) {
    response.fields.add("Allow", "GET, HEAD");
    response.close = true;  // Whatever body came with it is not read.
  }
  return response;
}

Response refusal(std::uint16_t status, const std::string& why) {
  Response response = document(status, wire_name(Errc::request_invalid), why);
  response.close = true;
  return response;
}

}  // namespace archway::proxy
