#include "proxy/pull/plan.hpp"

#include <utility>

namespace archway::proxy {
namespace {

resolver::ClientFacts facts_of(const Request& request, const resolver::Route& route,
                               const resolver::PlatformRules& rules) {
  resolver::ClientFacts facts{.path = route.platform,
                              .header = request.fields.all(rules.header),
                              .host = request.fields.find("Host"),
                              .server_name = request.peer->server_name,
                              .listener = request.peer->listener_platform,
                              .certificate = request.peer->certificate,
                              .address = request.peer->address,
                              .user_agent = request.fields.find("User-Agent"),
                              .accept = request.fields.all("Accept")};
  for (const auto line : request.fields.all(forwarded_platform_header)) {
    facts.header.push_back(line);
  }
  return facts;
}

std::optional<Tag> tag_of(const resolver::Route& route) {
  if (!route.reference) return std::nullopt;
  const auto* tag = std::get_if<Tag>(&*route.reference);
  return tag == nullptr ? std::nullopt : std::optional<Tag>(*tag);
}

void describe(Account& account, const Asked& asked) {
  account.upstream = asked.image.upstream;
  account.image = name_asked(asked);
  if (!asked.rewritten_by.empty()) account.looked_for = name_looked_for(asked);
  if (asked.client.platform) {
    account.platform = asked.client.platform->str();
    account.said_by = name(asked.client.source);
  }
}

}  // namespace

Result<std::shared_ptr<const Asked>> plan(const PullShared& shared,
                                          std::shared_ptr<const Request> request,
                                          resolver::Route route, std::shared_ptr<Account> account) {
  const auto known = Knowledge::of(shared);
  const auto named = resolver::upstream_of(route, request->fields.find("Host"), shared.names);
  if (!named) return named.error();
  const auto& rules = shared.settings->platforms;
  auto client = resolver::client_platform(facts_of(*request, route, rules), rules);
  if (!client) return client.error();
  auto rewritten = shared.rewriter.apply(*named, tag_of(route));
  const auto asked =
      std::make_shared<const Asked>(Asked{.request = std::move(request),
                                          .route = std::move(route),
                                          .named = *named,
                                          .image = std::move(rewritten.image),
                                          .tag = std::move(rewritten.tag),
                                          .rewritten_by = std::move(rewritten.by),
                                          .rewrite_problem = std::move(rewritten.problem),
                                          .client = *std::move(client),
                                          .account = std::move(account),
                                          .known = known});
  describe(*asked->account, *asked);
  return asked;
}

}  // namespace archway::proxy
