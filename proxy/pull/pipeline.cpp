#include "proxy/pull/pipeline.hpp"

#include "proxy/pull/asked.hpp"
#include "proxy/pull/refusal.hpp"
#include "proxy/pull/serve_blob.hpp"
#include "proxy/pull/serve_listing.hpp"
#include "proxy/pull/serve_manifest.hpp"

#include <new>
#include <utility>

namespace archway::proxy {

namespace net = boost::asio;

namespace {

Error read_only() {
  return {.code = Errc::unsupported,
          .message =
              "archway is a read-only gateway: it answers GET and HEAD; push to the "
              "upstream registry itself"};
}

resolver::ClientFacts facts_of(const Request& request, const resolver::Route& route,
                               const resolver::PlatformRules& rules) {
  return {.path = route.platform,
          .header = request.fields.all(rules.header),
          .host = request.fields.find("Host"),
          .server_name = request.peer->server_name,
          .listener = request.peer->listener_platform,
          .certificate = request.peer->certificate,
          .address = request.peer->address,
          .user_agent = request.fields.find("User-Agent"),
          .accept = request.fields.all("Accept")};
}

Response ping(const resolver::Route& route) {
  Response response;
  response.fields.add("Content-Type", "application/json");
  response.fields.add("Docker-Distribution-Api-Version", "registry/2.0");
  if (!route.ns.empty()) response.fields.add("OCI-Namespace", route.ns);
  response.body = bytes_body("{}");
  return response;
}

/// The full name as people write it: `docker.io/library/golang:1.22`.
std::string full_name(const ImageName& image, const resolver::Route& route) {
  if (!route.reference) return image.str();
  const bool by_tag = std::holds_alternative<Tag>(*route.reference);
  return image.str() + (by_tag ? ":" : "@") + str(*route.reference);
}

void describe(Account& account, const Asked& asked) {
  account.upstream = asked.image.upstream;
  account.image = full_name(asked.image, asked.route);
  if (asked.client.platform) {
    account.platform = asked.client.platform->str();
    account.said_by = name(asked.client.source);
  }
}

/// The one thing that is asked for.
net::awaitable<Result<Response>> serve(PullParts* parts, std::shared_ptr<const Asked> asked) {
  switch (asked->route.kind) {
    case resolver::Route::Kind::blob: return serve_blob(parts, std::move(asked));
    case resolver::Route::Kind::tags: return serve_tags(parts, std::move(asked));
    case resolver::Route::Kind::referrers: return serve_referrers(parts, std::move(asked));
    case resolver::Route::Kind::manifest:
    case resolver::Route::Kind::ping: break;  // A ping was answered before.
  }
  return serve_manifest(parts, std::move(asked));
}

}  // namespace

net::awaitable<Result<Response>> Pipeline::pull(std::shared_ptr<const Request> request,
                                                std::shared_ptr<Account> account) {
  const auto& shared = *parts_.shared;
  if (request->method == Method::other) co_return read_only();
  auto route = resolver::parse_route(request->target);
  if (!route) co_return route.error();
  account->kind = name(route->kind);
  if (route->kind == resolver::Route::Kind::ping) co_return ping(*route);
  const auto image = resolver::upstream_of(*route, request->fields.find("Host"), shared.names);
  if (!image) co_return image.error();
  const auto& rules = shared.settings->platforms;
  auto client = resolver::client_platform(facts_of(*request, *route, rules), rules);
  if (!client) co_return client.error();
  if (!client->conflict.empty()) {
    shared.metrics->platform_conflict();
    shared.log->write_seldom(
        "conflict " + request->peer->address.str(), metrics::Level::warn,
        "a rule and a client's User-Agent disagree about its platform",
        {{"client", request->peer->address.str()}, {"what", client->conflict}});
  }
  auto asked = std::make_shared<Asked>(Asked{.request = request,
                                             .route = *std::move(route),
                                             .image = *image,
                                             .client = *std::move(client),
                                             .account = account});
  describe(*account, *asked);
  co_return co_await serve(&parts_, asked);
}

net::awaitable<Result<Response>> Pipeline::pull_or_explain(std::shared_ptr<const Request> request,
                                                           std::shared_ptr<Account> account) {
  try {
    co_return co_await pull(request, account);
  } catch (const std::bad_alloc&) {
    co_return Error{.code = Errc::overloaded,
                    .origin = Origin::storage,
                    .message = "archway is out of memory; try again in a moment",
                    .context = "bad_alloc",
                    .retryable = true};
  }
}

net::awaitable<Response> Pipeline::handle(std::shared_ptr<const Request> request) {
  const auto account = std::make_shared<Account>();
  auto pulled = co_await pull_or_explain(request, account);
  if (!pulled) note(*account, pulled.error());
  Response response = pulled ? *std::move(pulled) : refusal(pulled.error());
  const auto status = response.status;
  response.on_sent = [account, request, status, log = parts_.shared->log,
                      metrics = parts_.shared->metrics](const Sent& sent) {
    close_account(*account, *request, status, sent, log, metrics);
  };
  co_return response;
}

Response Pipeline::refuse(std::uint16_t status, std::string why) {
  parts_.shared->metrics->request({.outcome = metrics::Outcome::refused, .status = status});
  parts_.shared->log->info("request refused",
                           {{"status", static_cast<std::int64_t>(status)}, {"why", why}});
  return refusal(status, why);
}

}  // namespace archway::proxy
