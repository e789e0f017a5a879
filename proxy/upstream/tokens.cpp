#include "proxy/upstream/tokens.hpp"

#include "proxy/upstream/status.hpp"
#include "proxy/wipe.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace archway::proxy {

namespace net = boost::asio;

namespace {

Error no_credentials(const Settings::Upstream& upstream) {
  return {.code = Errc::denied,
          .origin = Origin::upstream,
          .message = upstream.name +
                     " asks for a user name and password, and archway has none configured for it"};
}

Error only_identity_token(const Settings::Upstream& upstream) {
  return {.code = Errc::denied,
          .origin = Origin::upstream,
          .message = upstream.name +
                     " asks for a user name and password, and what archway has for it is an "
                     "identity token, which is good for token services alone"};
}

/// Says which of the two that are talked to it was.
Error of_token_service(Error error, const std::string& upstream) {
  error.message = "the token service of " + upstream + ": " + error.message;
  return error;
}

Error too_large() {
  Error error = nonsense("the token's answer is too large");
  error.message = "its answer is larger than " + std::to_string(token_answer_bytes_max / 1024) +
                  " KiB, which no token is";
  return error;
}

/// Whoever asks sees the credentials.
bool shown_to(const Settings::Upstream& upstream, const Challenged& challenged) {
  if (challenged.challenge.scheme == resolver::Challenge::Scheme::basic) return true;
  const auto realm = resolver::Url::parse(challenged.challenge.realm);
  return realm && may_see_credentials(upstream, *realm);
}

}  // namespace

struct Tokens::State {
  struct Kept {
    std::string authorization;
    Clock::time_point until;
  };

  std::function<Clock::time_point()> now;
  mutable std::mutex mutex;
  std::unordered_map<std::string, Kept> tokens;
  std::unordered_map<std::string, Challenged> challenges;

  std::optional<std::string> find(const std::string& key, const std::string& rejected) {
    const std::lock_guard lock(mutex);
    const auto kept = tokens.find(key);
    if (kept == tokens.end() || kept->second.until <= now()) return std::nullopt;
    if (kept->second.authorization == rejected) return std::nullopt;
    return kept->second.authorization;
  }
  void keep(const std::string& key, std::string authorization, std::chrono::seconds valid_for) {
    // A token is not used in its last moments: it would be refused on its way.
    const auto margin = std::min<std::chrono::seconds>(std::chrono::seconds(10), valid_for / 4);
    const std::lock_guard lock(mutex);
    const auto time = now();
    if (tokens.size() >= kept_max) {
      std::erase_if(tokens, [&](const auto& one) { return one.second.until <= time; });
      if (tokens.size() >= kept_max) tokens.clear();
    }
    tokens.insert_or_assign(key, Kept{std::move(authorization), time + valid_for - margin});
  }
};

/// One token to fetch: everything the work needs, its own for as long as it lasts.
struct Tokens::Errand {
  std::shared_ptr<const Settings::Upstream> upstream;
  std::shared_ptr<Exchange> exchange;
  TokenRequest request;
  std::string key;
  std::string rejected;
  bool withheld = false;  // there are credentials, which the realm was not shown
};

Tokens::Tokens(metrics::Log* log, std::function<Clock::time_point()> now,
               std::shared_ptr<Logins> logins)
    : state_(std::make_shared<State>()), logins_(std::move(logins)), flights_(log) {
  state_->now = now ? std::move(now) : std::function<Clock::time_point()>(&Clock::now);
  if (!logins_) logins_ = std::make_shared<Logins>(log, Environment::of_process());
}

net::awaitable<Result<std::string>> Tokens::fetch(std::shared_ptr<State> state,
                                                  std::shared_ptr<const Errand> errand) {
  // Another thread's flight may have landed between our look and this take-off.
  const auto kept = state->find(errand->key, errand->rejected);
  if (kept) co_return *kept;
  const auto& upstream = errand->upstream->name;
  auto answer = co_await errand->exchange->run(errand->request.ask);
  if (!answer) co_return of_token_service(answer.error(), upstream);
  const auto status = answer->head.status;
  if (status != 200) {
    const auto& host = errand->request.ask.destination.url.host;
    Error error =
        error_of_token_service(answer->head, upstream, host, errand->request.with_credentials);
    if (error.code == Errc::denied && errand->withheld) {
      error.message += "; " + host + " is not among its token realms and was not shown them";
    }
    co_await answer->body->discard();
    co_return error;
  }
  auto text = co_await answer->body->read_all(token_answer_bytes_max);
  if (!text && text.error().retryable) co_return of_token_service(text.error(), upstream);
  if (!text) co_return of_token_service(too_large(), upstream);
  auto token = read_token(*text);
  wipe(*text);
  if (!token) co_return of_token_service(token.error(), upstream);
  std::string authorization = "Bearer " + token->value;
  state->keep(errand->key, authorization, token->valid_for);
  co_return authorization;
}

net::awaitable<Result<std::string>> Tokens::bought(
    std::shared_ptr<const Settings::Upstream> upstream, std::shared_ptr<Exchange> exchange,
    Challenged challenged, std::shared_ptr<const Login> login, std::string rejected,
    std::chrono::milliseconds patience) {
  auto request = token_request(*upstream, challenged, login.get());
  if (!request) co_return request.error();
  auto errand = std::make_shared<Errand>();
  errand->upstream = upstream;
  errand->exchange = std::move(exchange);
  errand->rejected = std::move(rejected);
  errand->withheld = login != nullptr && !request->with_credentials;
  errand->key = upstream->name + "\n" + request->key;
  if (request->with_credentials) errand->key += "\n" + login->mark();
  errand->request = *std::move(request);

  const auto kept = state_->find(errand->key, errand->rejected);
  if (kept) co_return *kept;
  SingleFlight<std::string>::Work work = [state = state_, errand] { return fetch(state, errand); };
  std::string key = errand->key;
  co_return co_await flights_.run(std::move(key), std::move(work), patience);
}

net::awaitable<Result<std::string>> Tokens::by(std::shared_ptr<const Settings::Upstream> upstream,
                                               std::shared_ptr<Exchange> exchange,
                                               Challenged challenged,
                                               std::shared_ptr<const Login> login,
                                               std::string rejected,
                                               std::chrono::milliseconds patience) {
  if (challenged.challenge.scheme == resolver::Challenge::Scheme::bearer) {
    co_return co_await bought(std::move(upstream), std::move(exchange), std::move(challenged),
                              std::move(login), std::move(rejected), patience);
  }
  if (!login) co_return no_credentials(*upstream);
  if (login->is_identity_token()) co_return only_identity_token(*upstream);
  co_return login->basic();
}

net::awaitable<Result<Authorization>> Tokens::authorization(
    std::shared_ptr<const Settings::Upstream> upstream, std::shared_ptr<Exchange> exchange,
    Challenged challenged, std::string rejected, std::chrono::milliseconds patience) {
  std::vector<std::string> tried;
  for (;;) {
    const auto chosen = co_await logins_->current(upstream);
    if (!chosen) co_return chosen.error();
    const auto login = chosen->login;
    auto got = co_await by(upstream, exchange, challenged, login, rejected, patience);
    const bool basic = challenged.challenge.scheme == resolver::Challenge::Scheme::basic;
    const bool denied = !got && got.error().code == Errc::denied && shown_to(*upstream, challenged);
    const bool refused = denied || (got && basic && *got == rejected);
    const bool again = login && std::count(tried.begin(), tried.end(), login->mark()) > 0;
    if (!refused || again || !login) {
      if (!got) co_return got.error();
      Authorization made{.field = *std::move(got)};
      if (login) made.credential = chosen->which;
      co_return made;
    }
    logins_->refused(*upstream, *chosen);
    tried.push_back(login->mark());
  }
}

void Tokens::remember(const std::string& upstream, const std::string& repository,
                      Challenged challenged) {
  const std::lock_guard lock(state_->mutex);
  if (state_->challenges.size() >= kept_max) state_->challenges.clear();
  state_->challenges.insert_or_assign(upstream + "\n" + repository, std::move(challenged));
}

std::optional<Challenged> Tokens::remembered(const std::string& upstream,
                                             const std::string& repository) const {
  const std::lock_guard lock(state_->mutex);
  const auto found = state_->challenges.find(upstream + "\n" + repository);
  if (found == state_->challenges.end()) return std::nullopt;
  return found->second;
}

}  // namespace archway::proxy
