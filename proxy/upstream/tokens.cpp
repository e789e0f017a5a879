#include "proxy/upstream/tokens.hpp"

#include "proxy/upstream/status.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <openssl/evp.h>
#include <utility>

namespace archway::proxy {

namespace net = boost::asio;

namespace {

std::string base64(const std::string& text) {
  std::string out(4 * ((text.size() + 2) / 3) + 1, '\0');  // EVP_EncodeBlock ends with a zero byte
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()),
                                   static_cast<int>(text.size()));
  out.resize(static_cast<std::size_t>(size));
  return out;
}

std::string basic(const Settings::Credentials& credentials) {
  return "Basic " + base64(credentials.username + ":" + credentials.password);
}

std::string encoded(const std::string& text) {
  constexpr std::string_view hex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~").find(c) != std::string_view::npos;
    if (plain && c != '\0') {
      out += c;
    } else {
      out += '%';
      out += hex[byte >> 4];
      out += hex[byte & 15];
    }
  }
  return out;
}

Error realm_refused(const Settings::Upstream& upstream, const std::string& why) {
  return {
      .code = Errc::upstream_failed,
      .origin = Origin::upstream,
      .message = upstream.name + " refers to a token service that archway does not use: " + why};
}

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

Error bad_token(std::string why) {
  Error error = nonsense(std::move(why));
  error.message = "the upstream's token service gave an answer that makes no sense";
  return error;
}

/// Asks for a token by an identity token, the form of OAuth2's refresh.
///
/// Source: RFC 6749 section 6; the CNCF distribution project's "Oauth2 Token Authentication".
void ask_by_identity_token(Ask& ask, const resolver::Challenge& challenge,
                           const std::string& identity_token) {
  std::string form = "grant_type=refresh_token&client_id=archway";
  const auto add = [&](std::string_view name, const std::string& value) {
    if (value.empty()) return;
    form += name;
    form += encoded(value);
  };
  add("&service=", challenge.service);
  add("&scope=", challenge.scope);
  add("&refresh_token=", identity_token);
  ask.verb = Verb::post;
  ask.fields.add("Content-Type", "application/x-www-form-urlencoded");
  ask.body = RequestBody::of(std::move(form));
}

/// The realm's target with service and scopes; a scope list stays one parameter a scope.
std::string token_target(const resolver::Url& realm, const resolver::Challenge& challenge) {
  std::string target = realm.target;
  char mark = target.find('?') == std::string::npos ? '?' : '&';
  const auto add = [&](std::string_view name, const std::string& value) {
    if (value.empty()) return;
    target += std::exchange(mark, '&');
    target += name;
    target += encoded(value);
  };
  add("service=", challenge.service);
  for (std::size_t begin = 0; begin < challenge.scope.size();) {
    const auto end = std::min(challenge.scope.find(' ', begin), challenge.scope.size());
    add("scope=", challenge.scope.substr(begin, end - begin));
    begin = end + 1;
  }
  return target;
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
  Ask ask;
  std::string key;
  std::string rejected;
  bool with_credentials = false;
};

Tokens::Tokens(metrics::Log* log, std::function<Clock::time_point()> now)
    : state_(std::make_shared<State>()), flights_(log) {
  state_->now = now ? std::move(now) : std::function<Clock::time_point()>(&Clock::now);
}

bool may_see_credentials(const Settings::Upstream& upstream, const resolver::Url& realm) {
  if (realm.scheme != "https" && upstream.url.scheme == "https") return false;
  if (realm.origin() == upstream.url.origin()) return true;
  // `auth.example.com` is that host at its scheme's port; another port is said with it.
  const auto& listed = upstream.token_realms;
  return std::find(listed.begin(), listed.end(), realm.authority()) != listed.end();
}

Result<Token> read_token(const std::string& json) {
  boost::json::error_code error;
  const auto value = boost::json::parse(json, error);
  if (error || !value.is_object()) return bad_token("the token's answer is not a JSON object");
  const auto& object = value.get_object();
  const auto* token = object.if_contains("token");
  if (token == nullptr || !token->is_string() || token->get_string().empty()) {
    token = object.if_contains("access_token");
  }
  if (token == nullptr || !token->is_string()) return bad_token("the answer holds no token");
  const auto& text = token->get_string();
  const bool visible =
      std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
  if (text.empty() || text.size() > token_bytes_max || !visible) {
    return bad_token("the token cannot be sent in a header");
  }
  auto valid_for = Tokens::valid_default;
  if (const auto* seconds = object.if_contains("expires_in")) {
    boost::json::error_code not_a_number;
    const auto given = seconds->to_number<std::int64_t>(not_a_number);
    if (!not_a_number && given > 0) {
      valid_for = std::chrono::seconds(std::min<std::int64_t>(given, Tokens::valid_max.count()));
    }
  }
  return Token{.value = std::string(text), .valid_for = valid_for};
}

net::awaitable<Result<std::string>> Tokens::fetch(std::shared_ptr<State> state,
                                                  std::shared_ptr<const Errand> errand) {
  // Another thread's flight may have landed between our look and this take-off.
  const auto kept = state->find(errand->key, errand->rejected);
  if (kept) co_return *kept;
  auto answer = co_await errand->exchange->run(errand->ask);
  if (!answer) co_return answer.error();
  const auto status = answer->head.status;
  if (status != 200) {
    Error error =
        error_of_token_service(answer->head, errand->upstream->name,
                               errand->ask.destination.url.host, errand->with_credentials);
    const auto& host = errand->ask.destination.url.host;
    const bool withheld = errand->upstream->credentials && !errand->with_credentials;
    if (error.code == Errc::denied && withheld) {
      error.message += "; " + host + " is not among its token realms and was not shown them";
    }
    co_await answer->body->discard();
    co_return error;
  }
  auto text = co_await answer->body->read_all(token_answer_bytes_max);
  if (!text) co_return text.error();
  auto token = read_token(*text);
  if (!token) co_return token.error();
  std::string authorization = "Bearer " + token->value;
  state->keep(errand->key, authorization, token->valid_for);
  co_return authorization;
}

net::awaitable<Result<std::string>> Tokens::authorization(
    std::shared_ptr<const Settings::Upstream> upstream, std::shared_ptr<Exchange> exchange,
    Challenged challenged, std::string rejected, std::chrono::milliseconds patience) {
  const auto& challenge = challenged.challenge;
  const auto& credentials = upstream->credentials;
  if (challenge.scheme == resolver::Challenge::Scheme::basic) {
    if (!credentials) co_return no_credentials(*upstream);
    if (credentials->username == identity_token_user) co_return only_identity_token(*upstream);
    co_return basic(*credentials);
  }
  const auto realm = resolver::Url::parse(challenge.realm);
  if (!realm) co_return realm_refused(*upstream, realm.error().message);
  if (realm->scheme != "https" && upstream->url.scheme == "https") {
    co_return realm_refused(*upstream, "it is not reached over https");
  }
  const bool trusted = may_see_credentials(*upstream, *realm);
  auto errand = std::make_shared<Errand>();
  errand->upstream = upstream;
  errand->exchange = std::move(exchange);
  errand->rejected = std::move(rejected);
  errand->with_credentials = trusted && credentials.has_value();
  auto& ask = errand->ask;
  ask.destination.url = *realm;
  ask.destination.url.target = token_target(*realm, challenge);
  if (!trusted) ask.destination.named_by = challenged.upstream_at;
  ask.fields.add("Accept", "application/json");
  const std::string with = errand->with_credentials ? basic(*credentials) : std::string();
  errand->key = upstream->name + "\n" + ask.destination.url.str() + "\n" + with;
  if (errand->with_credentials && credentials->username == identity_token_user) {
    ask.destination.url.target = realm->target;
    ask_by_identity_token(ask, challenge, credentials->password);
  } else if (errand->with_credentials) {
    ask.fields.add("Authorization", with);
  }

  const auto kept = state_->find(errand->key, errand->rejected);
  if (kept) co_return *kept;
  SingleFlight<std::string>::Work work = [state = state_, errand] { return fetch(state, errand); };
  std::string key = errand->key;
  co_return co_await flights_.run(std::move(key), std::move(work), patience);
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
