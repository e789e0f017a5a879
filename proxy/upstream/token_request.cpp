#include "proxy/upstream/token_request.hpp"

#include <algorithm>
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
