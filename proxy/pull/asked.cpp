#include "proxy/pull/asked.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace archway::proxy {

std::string full_name(const ImageName& image, const Reference& reference) {
  const bool by_tag = std::holds_alternative<Tag>(reference);
  return image.str() + (by_tag ? ":" : "@") + str(reference);
}

std::string name_asked(const Asked& asked) {
  const auto& reference = asked.route.reference;
  return reference ? full_name(asked.named, *reference) : asked.named.str();
}

std::string name_looked_for(const Asked& asked) {
  const auto& reference = asked.route.reference;
  if (!reference) return asked.image.str();
  return full_name(asked.image, asked.tag ? Reference(*asked.tag) : *reference);
}

Error as_asked(Error error, const Asked& asked) {
  const bool about_the_name = error.code == Errc::denied || error.code == Errc::name_unknown ||
                              error.code == Errc::manifest_unknown ||
                              error.code == Errc::blob_unknown;
  if (about_the_name && !asked.rewritten_by.empty()) {
    error.message += " (asked for as " + name_asked(asked) + ", which is rewritten by " +
                     asked.rewritten_by + ")";
  }
  return error;
}

void add_common_fields(Response& response, const Asked& asked) {
  response.fields.add("Docker-Distribution-Api-Version", "registry/2.0");
  if (!asked.route.ns.empty()) response.fields.add("OCI-Namespace", asked.route.ns);
  if (asked.client.platform) {
    response.fields.add("Archway-Platform", asked.client.platform->str() +
                                                "; by=" + std::string(name(asked.client.source)));
  }
}

void add_outcome(Response& response, const Asked& asked, metrics::Outcome outcome) {
  asked.account->outcome = outcome;
  response.fields.add("Archway-Cache", name(outcome));
}

void add_warning(Response& response, const std::string& text) {
  std::string quoted;
  for (const char c : text) {
    const bool printable = c >= ' ' && c <= '~';
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += printable ? c : '?';
  }
  response.fields.add("Warning", "299 archway \"" + quoted + "\"");
}

void add_staleness(Response& response, std::int64_t age_s) {
  response.fields.add("Warning", "110 - \"Response is stale: its upstream could not confirm it\"");
  response.fields.add("Age", std::to_string(std::max<std::int64_t>(age_s, 0)));
}

bool asks_anew(const resolver::TagRules& rules, const Request& request) {
  if (rules.no_cache_from.empty()) return false;
  const auto lines = request.fields.all("Cache-Control");
  const bool says = std::any_of(lines.begin(), lines.end(), [](std::string_view line) {
    return line.find("no-cache") != std::string_view::npos;
  });
  const auto& networks = rules.no_cache_from;
  return says && std::any_of(networks.begin(), networks.end(), [&](const auto& network) {
           return network.contains(request.peer->address);
         });
}

bool unchanged(const Request& request, const std::string& etag) {
  return request.fields.find("If-None-Match") == etag;
}

Response not_modified(Response response) {
  response.status = 304;
  response.body = BytesBody{};
  return response;
}

}  // namespace archway::proxy
