#include "proxy/upstream/request_flow.hpp"

#include "resolver/challenge.hpp"
#include "resolver/redirect.hpp"

#include <optional>
#include <utility>

namespace archway::proxy {

namespace net = boost::asio;

namespace {

bool is_redirect(unsigned status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

Error in_circles(const std::string& upstream) {
  return {.code = Errc::upstream_failed,
          .origin = Origin::upstream,
          .message = upstream + " leads from one redirect to the next without an end"};
}

/// Everything the configured bounds allow one exchange with a token service to take.
std::chrono::milliseconds exchange_time(const Settings::Timeouts& timeouts) {
  const auto connects = static_cast<int>(Connector::addresses_max);
  return timeouts.resolve + connects * (timeouts.connect + timeouts.tls) + timeouts.first_byte +
         timeouts.stall;
}

}  // namespace

RequestFlow::RequestFlow(Parts parts)
    : parts_(std::move(parts)), token_patience_(exchange_time(parts_.timeouts)) {}

net::awaitable<Result<std::string>> RequestFlow::meet(Challenged challenged, std::string rejected) {
  return parts_.tokens->authorization(parts_.upstream, parts_.exchange, std::move(challenged),
                                      std::move(rejected), token_patience_);
}

net::awaitable<Result<std::string>> RequestFlow::prepare(std::string repository) {
  auto known = parts_.tokens->remembered(parts_.upstream->name, repository);
  if (!known) co_return std::string();
  auto authorization = co_await meet(*std::move(known), "");
  if (authorization || authorization.error().retryable) co_return authorization;
  co_return std::string();  // What was asked for once may not be any more: let the upstream say.
}

net::awaitable<Result<Answer>> RequestFlow::run(Wish wish) {
  auto bears = co_await prepare(wish.repository);
  if (!bears) co_return bears.error();
  Ask ask;
  ask.method = wish.method;
  ask.fields = std::move(wish.fields);
  ask.destination.url = parts_.upstream->url;
  ask.destination.url.target = std::move(wish.target);

  bool at_home = true;
  bool met = false;
  std::optional<resolver::Address> upstream_at;
  for (int hops = 0; hops <= resolver::redirect_hops_max;) {
    Ask step = ask;
    if (at_home && !bears->empty()) step.fields.add("Authorization", *bears);
    auto answer = co_await parts_.exchange->run(std::move(step));
    if (!answer) co_return answer.error();
    const auto& head = answer->head;
    if (at_home) upstream_at = answer->address;
    answer->elsewhere = !at_home;

    if (head.status == 401 && at_home && !met) {
      const auto challenges = resolver::read_challenges(head.fields.all("WWW-Authenticate"));
      const auto challenge = resolver::to_answer(challenges);
      if (!challenge) co_return answer;
      const Challenged challenged{*challenge, answer->address};
      co_await answer->body->discard();  // so that the token may come over this connection
      auto authorization = co_await meet(challenged, *bears);
      if (!authorization) co_return authorization.error();
      if (*authorization == *bears) co_return answer;  // The same again would be refused again.
      parts_.tokens->remember(parts_.upstream->name, wish.repository, challenged);
      bears = std::move(authorization);
      met = true;
      continue;
    }
    if (!is_redirect(head.status)) co_return answer;

    ++hops;
    auto redirect = resolver::follow(ask.destination.url, head.fields.find("Location"));
    if (!redirect) co_return redirect.error();
    if (redirect->other_origin) {
      at_home = false;
      ask.destination.named_by = upstream_at;
    }
    ask.destination.url = std::move(redirect->url);
    co_await answer->body->discard();
  }
  co_return in_circles(parts_.upstream->name);
}

}  // namespace archway::proxy
