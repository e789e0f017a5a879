#pragma once

#include "metrics/log.hpp"
#include "proxy/config/settings.hpp"
#include "proxy/single_flight.hpp"
#include "proxy/upstream/exchange.hpp"
#include "resolver/challenge.hpp"
#include "resolver/model/result.hpp"
#include "resolver/network.hpp"

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace archway::proxy {

inline constexpr std::size_t token_answer_bytes_max = 64 * 1024;
inline constexpr std::size_t token_bytes_max = 16 * 1024;

/// The user name that stands for "the password is an identity token": one that only a token service
/// takes, for tokens (the refresh token of OAuth2).
///
/// Source: docker's credential helpers protocol.
inline constexpr std::string_view identity_token_user = "<token>";

/// A challenge, and where the upstream that made it was reached.
struct Challenged {
  resolver::Challenge challenge;
  resolver::Address upstream_at;
};

/// The answers to upstreams' challenges: Basic from the credentials, Bearer from token services.
/// Tokens are kept as long as they are valid, by upstream, realm, service, scope and credential;
/// however many requests need one at once, one asks for it. What was asked for a repository before
/// is remembered, so that its next request is not first refused.
///
/// A credential goes to the upstream's own origin and to the hosts in its `token_realms`, nowhere
/// else, and never from an https upstream over http. A token service elsewhere is asked
/// anonymously, at addresses that the upstream may lead to.
///
/// Threads: any.
class Tokens {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::seconds valid_default{60};
  static constexpr std::chrono::seconds valid_max{3600};
  static constexpr std::size_t kept_max = 4096;  ///< tokens, and remembered challenges

  /// `log` may be nullptr; `now` empty: Clock::now.
  explicit Tokens(metrics::Log* log, std::function<Clock::time_point()> now = {});

  /// What to write behind `Authorization:`. `rejected`: what was sent and refused ("" for nothing),
  /// which is then not given again. The exchange is the calling thread's.
  ///
  /// Errors: Errc::denied (no credential for Basic, the token service refuses),
  /// Errc::upstream_failed (realm or token make no sense), and the exchange's.
  boost::asio::awaitable<Result<std::string>> authorization(
      std::shared_ptr<const Settings::Upstream> upstream, std::shared_ptr<Exchange> exchange,
      Challenged challenged, std::string rejected, std::chrono::milliseconds patience);

  void remember(const std::string& upstream, const std::string& repository, Challenged challenged);
  std::optional<Challenged> remembered(const std::string& upstream,
                                       const std::string& repository) const;

 private:
  struct State;
  struct Errand;
  static boost::asio::awaitable<Result<std::string>> fetch(std::shared_ptr<State> state,
                                                           std::shared_ptr<const Errand> errand);

  std::shared_ptr<State> state_;
  SingleFlight<std::string> flights_;
};

/// True when this realm may see the upstream's credentials.
bool may_see_credentials(const Settings::Upstream& upstream, const resolver::Url& realm);

/// What a token service said. Errors: Errc::upstream_failed.
struct Token {
  std::string value;
  std::chrono::seconds valid_for;
};
Result<Token> read_token(const std::string& json);

}  // namespace archway::proxy
