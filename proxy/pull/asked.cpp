#include "proxy/pull/asked.hpp"

#include <utility>

namespace archway::proxy {

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

bool unchanged(const Request& request, const std::string& etag) {
  return request.fields.find("If-None-Match") == etag;
}

Response not_modified(Response response) {
  response.status = 304;
  response.body = BytesBody{};
  return response;
}

}  // namespace archway::proxy
