#pragma once

#include "metrics/log.hpp"
#include "proxy/config/settings.hpp"
#include "proxy/single_flight.hpp"
#include "proxy/upstream/exchange.hpp"
#include "proxy/upstream/logins.hpp"
#include "proxy/upstream/token_answer.hpp"
#include "proxy/upstream/token_request.hpp"
#include "resolver/model/result.hpp"

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

namespace archway::proxy {

/// What to write behind `Authorization:`.
struct Authorization {
  std::string field = {};
  /// The place in the upstream's list of the credentials that it was made with; none without any.
  std::optional<std::size_t> credential = {};
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
  static constexpr std::size_t kept_max = 4096;  ///< tokens, and remembered challenges

  /// `log` may be nullptr; `now` empty: Clock::now; `logins` nullptr: some of its own.
  explicit Tokens(metrics::Log* log, std::function<Clock::time_point()> now = {},
                  std::shared_ptr<Logins> logins = nullptr);

  /// `rejected`: what was sent and refused ("" for nothing), which is not given again while there
  /// is something else. Credentials that are refused make way for the next. The exchange is the
  /// calling thread's.
  ///
  /// Errors: Errc::denied (no credential for Basic, the token service refuses),
  /// Errc::upstream_failed (realm or token make no sense, credentials cannot be had), and the
  /// exchange's.
  boost::asio::awaitable<Result<Authorization>> authorization(
      std::shared_ptr<const Settings::Upstream> upstream, std::shared_ptr<Exchange> exchange,
      Challenged challenged, std::string rejected, std::chrono::milliseconds patience);

  void remember(const std::string& upstream, const std::string& repository, Challenged challenged);
  std::optional<Challenged> remembered(const std::string& upstream,
                                       const std::string& repository) const;

  /// What the credentials are taken from.
  Logins& logins() { return *logins_; }

 private:
  struct State;
  struct Errand;
  static boost::asio::awaitable<Result<std::string>> fetch(std::shared_ptr<State> state,
                                                           std::shared_ptr<const Errand> errand);
  boost::asio::awaitable<Result<std::string>> bought(
      std::shared_ptr<const Settings::Upstream> upstream, std::shared_ptr<Exchange> exchange,
      Challenged challenged, std::shared_ptr<const Login> login, std::string rejected,
      std::chrono::milliseconds patience);
  boost::asio::awaitable<Result<std::string>> by(std::shared_ptr<const Settings::Upstream> upstream,
                                                 std::shared_ptr<Exchange> exchange,
                                                 Challenged challenged,
                                                 std::shared_ptr<const Login> login,
                                                 std::string rejected,
                                                 std::chrono::milliseconds patience);

  std::shared_ptr<State> state_;
  std::shared_ptr<Logins> logins_;
  SingleFlight<std::string> flights_;
};

}  // namespace archway::proxy
