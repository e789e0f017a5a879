#include "proxy/pull/pipeline.hpp"

#include "proxy/pull/admit.hpp"
#include "proxy/pull/asked.hpp"
#include "proxy/pull/plan.hpp"
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

Response ping(const resolver::Route& route) {
  Response response;
  response.fields.add("Content-Type", "application/json");
  response.fields.add("Docker-Distribution-Api-Version", "registry/2.0");
  if (!route.ns.empty()) response.fields.add("OCI-Namespace", route.ns);
  response.body = bytes_body("{}");
  return response;
}

/// What an operator may have to change: rules that contradict the client, or cannot be used.
void tell_operator(const PullShared& shared, const Asked& asked) {
  const auto client = asked.request->peer->address.str();
  if (!asked.client.conflict.empty()) {
    shared.metrics->platform_conflict();
    shared.log->write_seldom("conflict " + client, metrics::Level::warn,
                             "a rule and a client's User-Agent disagree about its platform",
                             {{"client", client}, {"what", asked.client.conflict}});
  }
  if (!asked.rewrite_problem.empty()) {
    shared.log->write_seldom("rewrite " + asked.named.str(), metrics::Level::warn,
                             "a rewriting rule matched, but its result cannot be used",
                             {{"image", name_asked(asked)}, {"what", asked.rewrite_problem}});
  }
}

/// What every answer says: which request it answers, and what the cache had to do with it.
void sign(Response& response, const std::string& id, metrics::Outcome outcome) {
  response.fields.add(request_id_field, id);
  if (!response.fields.contains("Archway-Cache")) {
    response.fields.add("Archway-Cache", name(outcome));
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
  const bool reads = request->method == Method::get || request->method == Method::head;
  if (!reads) co_return read_only();
  auto route = resolver::parse_route(request->target);
  if (!route) co_return route.error();
  account->kind = name(route->kind);
  if (route->kind == resolver::Route::Kind::ping) {
    if (asks_for_credentials(*parts_.shared, *request)) co_return needs_credentials();
    co_return ping(*route);
  }
  const auto planned = plan(*parts_.shared, request, *std::move(route), account);
  if (!planned) co_return planned.error();
  tell_operator(*parts_.shared, **planned);
  const auto admitted = co_await admit(&parts_, *planned);
  if (!admitted) co_return as_asked(admitted.error(), **planned);
  const auto asked = *admitted;
  auto served = co_await serve(&parts_, asked);
  if (!served) co_return as_asked(served.error(), *asked);
  co_return served;
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
  sign(response, account->id, account->outcome);
  response.on_sent = [account, request, status, log = parts_.shared->log,
                      metrics = parts_.shared->metrics](const Sent& sent) {
    close_account(*account, *request, status, sent, log, metrics);
  };
  co_return response;
}

Response Pipeline::refuse(std::uint16_t status, std::string why) {
  parts_.shared->metrics->request({.outcome = metrics::Outcome::refused, .status = status});
  const auto id = next_request_id();
  parts_.shared->log->info(
      "request refused", {{"id", id}, {"status", static_cast<std::int64_t>(status)}, {"why", why}});
  Response response = refusal(status, why);
  sign(response, id, metrics::Outcome::refused);
  return response;
}

void Pipeline::lost(std::string_view reason) {
  parts_.shared->log->write_seldom("lost " + std::string(reason), metrics::Level::info,
                                   "a client was given up", {{"why", std::string(reason)}});
}

}  // namespace archway::proxy
