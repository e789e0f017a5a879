#include "proxy/pull/explain.hpp"

#include "proxy/pull/admit.hpp"
#include "proxy/pull/plan.hpp"
#include "proxy/pull/refusal.hpp"
#include "proxy/pull/serve_manifest.hpp"

#include <utility>

namespace archway::proxy {

namespace net = boost::asio;

namespace {

Error not_a_manifest(const resolver::Route& route) {
  return {.code = Errc::request_invalid,
          .message =
              "what can be explained is a request for a manifest, by tag or by digest, not "
              "one for " +
              std::string(name(route.kind))};
}

void explain_plan(const Asked& asked, Explanation* why) {
  why->asked = name_asked(asked);
  why->image = name_looked_for(asked);
  why->rewritten = asked.rewritten_by;
  why->client = asked.client;
}

/// The very way of a client's request, up to its answer.
net::awaitable<Result<Response>> answer(PullParts* parts, std::shared_ptr<const Request> request,
                                        Explanation* why) {
  auto route = resolver::parse_route(request->target);
  if (!route) co_return route.error();
  if (route->kind != resolver::Route::Kind::manifest) co_return not_a_manifest(*route);
  const auto account = std::make_shared<Account>();
  const auto asked = plan(*parts->shared, request, *std::move(route), account);
  if (!asked) co_return asked.error();
  explain_plan(**asked, why);
  const auto admitted = co_await admit(parts, *asked);
  if (!admitted) {
    why->verdict = "refuse";
    why->reason = admitted.error().context;
    co_return as_asked(admitted.error(), **asked);
  }
  const auto decided = co_await decide_manifest(parts, *admitted, why);
  if (!decided) co_return as_asked(decided.error(), **admitted);
  why->warning = decided->warning;
  co_return manifest_response(**admitted, *decided);
}

void explain_response(const Response& response, Explanation* why) {
  why->status = response.status;
  why->digest = response.fields.find("Docker-Content-Digest");
  why->media_type = response.fields.find("Content-Type");
  why->index = response.fields.find("Archway-Index");
  why->size = response.length().value_or(0);
}

void explain_error(const Error& error, Explanation* why) {
  why->status = status_of(error);
  why->error_code = wire_name(error.code);
  why->message = error.message;
}

}  // namespace

net::awaitable<Explanation> explain(PullParts* parts, std::shared_ptr<const Request> request) {
  Explanation why;
  const auto answered = co_await answer(parts, request, &why);
  if (answered) {
    explain_response(*answered, &why);
  } else {
    explain_error(answered.error(), &why);
  }
  co_return why;
}

}  // namespace archway::proxy
