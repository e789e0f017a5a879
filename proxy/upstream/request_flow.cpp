#include "proxy/upstream/request_flow.hpp"

#include "proxy/upstream/rate_limit.hpp"
#include "proxy/upstream/status.hpp"
#include "resolver/challenge.hpp"
#include "resolver/glob.hpp"
#include "resolver/redirect.hpp"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

namespace archway::proxy {

namespace net = boost::asio;

namespace {

bool is_redirect(unsigned status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/// May a request that writes be sent there in place of here?
bool is_followed(unsigned status, Verb verb, bool streamed) {
  if (!is_redirect(status)) return false;
  return reads(verb) || (!streamed && (status == 307 || status == 308));
}

/// The challenge, asking for a second repository, too, where it does not yet.
resolver::Challenge widened(resolver::Challenge challenge, const std::string& also_reads) {
  if (also_reads.empty() || challenge.scheme != resolver::Challenge::Scheme::bearer) {
    return challenge;
  }
  const auto scope = "repository:" + also_reads + ":";
  if (challenge.scope.find(scope) == std::string::npos) {
    if (!challenge.scope.empty()) challenge.scope += ' ';
    challenge.scope += scope + "pull";
  }
  return challenge;
}

Error in_circles(const std::string& upstream) {
  return {.code = Errc::upstream_failed,
          .origin = Origin::upstream,
          .message = upstream + " leads from one redirect to the next without an end"};
}

constexpr std::chrono::seconds rest_default{60};
constexpr std::chrono::seconds rest_when_low{600};

/// For how long others should go first: after 429, and where few requests are left of those that
/// one account has; 0: they need not.
std::chrono::seconds rest_after(const AnswerHead& head) {
  if (head.status == 429) {
    const std::chrono::seconds asked(retry_after_s(head.fields));
    return asked.count() > 0 ? asked : rest_default;
  }
  const auto limit = read_rate_limit(head.fields);
  return limit && limit->is_low() ? rest_when_low : std::chrono::seconds(0);
}

Error not_listed(const std::string& upstream, const resolver::Url& url) {
  return {.code = Errc::upstream_failed,
          .origin = Origin::upstream,
          .message = upstream + " leads to " + url.host +
                     ", a host that is not among those its redirects may lead to",
          .context = "not in upstreams[].redirects: " + url.origin()};
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

std::string RequestFlow::target(const Repository& repository, const std::string& what) const {
  auto prefix = parts_.upstream->url.target;
  while (prefix.ends_with('/')) prefix.pop_back();
  return prefix + "/v2/" + repository.str() + "/" + what;
}

std::string RequestFlow::remembered_for() const {
  // One upstream may have several places, and each asks in its own way.
  return parts_.upstream->name + "\n" + parts_.upstream->url.origin();
}

RequestFlow::Need RequestFlow::need_of(const Wish& wish) {
  // A token for reading does not let anyone write, so the two have challenges of their own. No
  // repository's name has a blank in it.
  return {.memory = (reads(wish.verb) ? "" : "write ") + wish.repository,
          .also_reads = wish.also_reads};
}

Ask RequestFlow::ask_of(Wish wish) const {
  Ask ask;
  ask.verb = wish.verb;
  ask.fields = std::move(wish.fields);
  ask.body = std::move(wish.body);
  if (wish.elsewhere) {
    ask.destination = *std::move(wish.elsewhere);
  } else {
    ask.destination.url = parts_.upstream->url;
    ask.destination.url.target = std::move(wish.target);
  }
  return ask;
}

net::awaitable<Result<Authorization>> RequestFlow::meet(Challenged challenged, Need need,
                                                        std::string rejected) {
  challenged.challenge = widened(std::move(challenged.challenge), need.also_reads);
  return parts_.tokens->authorization(parts_.upstream, parts_.exchange, std::move(challenged),
                                      std::move(rejected), token_patience_);
}

net::awaitable<Result<Authorization>> RequestFlow::prepare(Need need) {
  if (!parts_.bears.empty()) co_return Authorization{.field = parts_.bears};
  auto known = parts_.tokens->remembered(remembered_for(), need.memory);
  if (!known) co_return Authorization();
  auto authorization = co_await meet(*std::move(known), std::move(need), "");
  if (authorization || authorization.error().retryable) co_return authorization;
  co_return Authorization();  // What was asked for once may not be any more: let the upstream say.
}

bool RequestFlow::rest_if_low(const Answer& answer) {
  const auto& upstream = *parts_.upstream;
  if (!answer.credential || upstream.credentials.size() < 2) return false;
  const auto time = rest_after(answer.head);
  if (time.count() > 0) parts_.tokens->logins().rest(upstream, *answer.credential, time);
  return time.count() > 0;
}

bool RequestFlow::may_lead_to(const resolver::Url& url) const {
  const auto& patterns = parts_.upstream->redirects;
  if (patterns.empty() || url.origin() == parts_.upstream->url.origin()) return true;
  return std::any_of(patterns.begin(), patterns.end(), [&](const auto& pattern) {
    return resolver::glob_matches(pattern, url.host);
  });
}

net::awaitable<Result<Answer>> RequestFlow::run(Wish wish) {
  const Need need = need_of(wish);
  const Ask ask = ask_of(std::move(wish));
  Destination destination = ask.destination;
  bool at_home = destination.url.origin() == parts_.upstream->url.origin();
  Result<Authorization> bears = Authorization();
  if (at_home) bears = co_await prepare(need);
  if (!bears) co_return bears.error();

  bool met = ask.body.streamed();
  std::size_t meetings = 0;
  std::vector<std::string> tried;
  // How many other credentials there are to try where one has had too many requests.
  std::size_t turns = ask.body.streamed() ? 0 : parts_.upstream->credentials.size();
  std::optional<resolver::Address> upstream_at;
  for (int hops = 0; hops <= resolver::redirect_hops_max;) {
    Ask step = ask;
    step.destination = destination;
    if (at_home && !bears->field.empty()) step.fields.add("Authorization", bears->field);
    auto answer = co_await parts_.exchange->run(std::move(step));
    if (!answer) co_return answer.error();
    const auto& head = answer->head;
    if (at_home) upstream_at = answer->address;
    answer->elsewhere = !at_home;
    if (at_home) answer->credential = bears->credential;
    answer->url = destination.url;
    if (at_home && rest_if_low(*answer) && head.status == 429 && turns > 0) {
      --turns;
      auto other = co_await prepare(need);
      if (other && other->field != bears->field) {
        co_await answer->body->discard();
        bears = std::move(other);
        continue;
      }
    }
    if (head.status == 401 && at_home && !met) {
      const auto challenges = resolver::read_challenges(head.fields.all("WWW-Authenticate"));
      const auto challenge = resolver::to_answer(challenges);
      if (!challenge) co_return answer;
      const Challenged challenged{*challenge, answer->address};
      co_await answer->body->discard();  // so that the token may come over this connection
      auto authorization = co_await meet(challenged, need, bears->field);
      if (!authorization) co_return authorization.error();
      // The same again would be refused again.
      tried.push_back(bears->field);
      if (std::count(tried.begin(), tried.end(), authorization->field) > 0) co_return answer;
      parts_.tokens->remember(remembered_for(), need.memory, challenged);
      bears = std::move(authorization);
      // A name and password that are refused may have a better one behind them, or be another
      // one by now where they come from.
      const bool basic = challenge->scheme == resolver::Challenge::Scheme::basic;
      met = !basic || ++meetings > parts_.upstream->credentials.size();
      continue;
    }
    if (!is_followed(head.status, ask.verb, ask.body.streamed())) co_return answer;

    ++hops;
    auto redirect = resolver::follow(destination.url, head.fields.find("Location"));
    if (!redirect) co_return redirect.error();
    if (redirect->other_origin) {
      if (!may_lead_to(redirect->url)) co_return not_listed(parts_.upstream->name, redirect->url);
      at_home = false;
      if (upstream_at) destination.named_by = upstream_at;
    }
    destination.url = std::move(redirect->url);
    co_await answer->body->discard();
  }
  co_return in_circles(parts_.upstream->name);
}

}  // namespace archway::proxy
