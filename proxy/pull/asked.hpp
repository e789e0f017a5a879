#pragma once

#include "proxy/http/message.hpp"
#include "proxy/pull/account.hpp"
#include "proxy/pull/knowledge.hpp"
#include "resolver/client_platform.hpp"
#include "resolver/freshness.hpp"
#include "resolver/model/name.hpp"
#include "resolver/route.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace archway::proxy {

/// A request with everything that was decided about it before anything was fetched.
struct Asked {
  std::shared_ptr<const Request> request;
  resolver::Route route;
  ImageName named;                   ///< as it was asked for
  ImageName image;                   ///< what is looked for: another name where a rule rewrites it
  std::optional<Tag> tag = {};       ///< what is looked for by tag; the route has it as asked for
  bool image_alone = false;          ///< nothing is looked for as it was asked for
  std::string rewritten_by = {};     ///< the rule's word; "": nothing was rewritten
  std::string rewrite_problem = {};  ///< for the log: a rule matched that could not be used
  resolver::ClientPlatform client;
  std::shared_ptr<Account> account;
  Knowledge known = {};  ///< before anything was decided
};

/// The full name as people write it: `docker.io/library/golang:1.22`, `…@sha256:…`.
std::string full_name(const ImageName& image, const Reference& reference);

/// The full names of what was asked for and of what is looked for; without a reference for tags and
/// referrers.
std::string name_asked(const Asked& asked);
std::string name_looked_for(const Asked& asked);

/// An error about the name that was looked for, which also says what was asked for where a rule
/// made another of it.
Error as_asked(Error error, const Asked& asked);

/// What every answer about an image carries: the API's version, the namespace that containerd asked
/// by, the platform and who said so.
void add_common_fields(Response& response, const Asked& asked);

/// "Archway-Cache: hit|miss|joined|stale|pass", and the same in the account.
void add_outcome(Response& response, const Asked& asked, metrics::Outcome outcome);

/// `Warning: 299 archway "…"`. Source: RFC 7234 section 5.5.
void add_warning(Response& response, const std::string& text);

/// `Warning: 110` and `Age`, the seconds since what is served was known to be so.
/// Source: RFC 7234 sections 5.1 and 5.5.1.
void add_staleness(Response& response, std::int64_t age_s);

/// True when the client wants the upstream asked (`Cache-Control: no-cache`), and may.
bool asks_anew(const resolver::TagRules& rules, const Request& request);

/// True when the client says that it holds these very bytes (If-None-Match).
/// Source: RFC 9110 section 13.1.2.
bool unchanged(const Request& request, const std::string& etag);

/// The same answer as 304, without its body.
Response not_modified(Response response);

}  // namespace archway::proxy
