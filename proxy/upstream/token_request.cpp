#include "proxy/upstream/token_request.hpp"

#include "proxy/upstream/status.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <utility>

namespace archway::proxy {
namespace {

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

Error bad_token(std::string why) {
  Error error = nonsense(std::move(why));
  error.message = "its answer makes no sense: it holds no token that can be sent";
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
  auto valid_for = token_valid_default;
  if (const auto* seconds = object.if_contains("expires_in")) {
    boost::json::error_code not_a_number;
    const auto given = seconds->to_number<std::int64_t>(not_a_number);
    if (!not_a_number && given > 0) {
      valid_for = std::chrono::seconds(std::min<std::int64_t>(given, token_valid_max.count()));
    }
  }
  return Token{.value = std::string(text), .valid_for = valid_for};
}

Result<TokenRequest> token_request(const Settings::Upstream& upstream, const Challenged& challenged,
                                   const Login* login) {
  const auto& challenge = challenged.challenge;
  const auto realm = resolver::Url::parse(challenge.realm);
  if (!realm) return realm_refused(upstream, realm.error().message);
  if (realm->scheme != "https" && upstream.url.scheme == "https") {
    return realm_refused(upstream, "it is not reached over https");
  }
  TokenRequest request;
  const bool trusted = may_see_credentials(upstream, *realm);
  request.with_credentials = trusted && login != nullptr;
  auto& ask = request.ask;
  ask.destination.url = *realm;
  ask.destination.url.target = token_target(*realm, challenge);
  if (!trusted) ask.destination.named_by = challenged.upstream_at;
  ask.fields.add("Accept", "application/json");
  request.key = ask.destination.url.str();
  if (!request.with_credentials) return request;
  if (login->is_identity_token()) {
    ask.destination.url.target = realm->target;
    ask_by_identity_token(ask, challenge, login->password());
  } else {
    ask.fields.add("Authorization", login->basic());
  }
  return request;
}

}  // namespace archway::proxy
