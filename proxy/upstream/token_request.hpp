#pragma once

#include "proxy/config/settings.hpp"
#include "proxy/upstream/exchange.hpp"
#include "proxy/upstream/login.hpp"
#include "resolver/challenge.hpp"
#include "resolver/model/result.hpp"
#include "resolver/network.hpp"
#include "resolver/url.hpp"

#include <string>

namespace archway::proxy {

/// A challenge, and where the upstream that made it was reached.
struct Challenged {
  resolver::Challenge challenge;
  resolver::Address upstream_at;
};

/// What to send to a token service.
struct TokenRequest {
  Ask ask;
  std::string key = {};  ///< what tokens of it are good for; without a secret
  bool with_credentials = false;
};

/// The request that a Bearer challenge leads to: with the login (by Basic, or by a form for an
/// identity token) where the realm may see it, else without, and then only to addresses that the
/// upstream may lead to. `login` may be nullptr.
///
/// Errors: Errc::upstream_failed for a realm that is no URL, or leads from https to http.
///
/// Source: the CNCF distribution project's "Token Authentication" and "Oauth2 Token
/// Authentication".
Result<TokenRequest> token_request(const Settings::Upstream& upstream, const Challenged& challenged,
                                   const Login* login);

/// True when this realm may see the upstream's credentials: its own origin and the hosts in its
/// `token_realms`, and never from an https upstream over http.
bool may_see_credentials(const Settings::Upstream& upstream, const resolver::Url& realm);

}  // namespace archway::proxy
