#pragma once

#include "proxy/http/message.hpp"
#include "proxy/pull/account.hpp"
#include "resolver/client_platform.hpp"
#include "resolver/model/name.hpp"
#include "resolver/route.hpp"

#include <memory>
#include <string>

namespace archway::proxy {

/// A request with everything that was decided about it before anything was fetched.
struct Asked {
  std::shared_ptr<const Request> request;
  resolver::Route route;
  ImageName image;
  resolver::ClientPlatform client;
  std::shared_ptr<Account> account;
};

/// What every answer about an image carries: the API's version, the namespace that containerd asked
/// by, the platform and who said so.
void add_common_fields(Response& response, const Asked& asked);

/// "Archway-Cache: hit|miss|joined|stale", and the same in the account.
void add_outcome(Response& response, const Asked& asked, metrics::Outcome outcome);

/// True when the client says that it holds these very bytes (If-None-Match).
/// Source: RFC 9110 section 13.1.2.
bool unchanged(const Request& request, const std::string& etag);

/// The same answer as 304, without its body.
Response not_modified(Response response);

}  // namespace archway::proxy
