#pragma once

#include "metrics/log.hpp"
#include "proxy/config/environment.hpp"
#include "proxy/config/settings.hpp"
#include "proxy/upstream/login.hpp"
#include "resolver/model/result.hpp"

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace archway::proxy {

/// What to log in with at an upstream, as it is at this moment: written in the configuration, in a
/// file that is read again when it has changed, in docker's configuration, or known to a credential
/// helper. What cannot be read any more is used on as it was, and the log says so; what was read
/// and has no login in it is believed.
///
/// Of several the first is used that does not rest: one rests for a while after it was refused, or
/// when whoever counts requests says so.
///
/// Files are read and helpers run on threads of their own. Threads: any.
class Logins {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::seconds look_pause{1};     ///< between two looks at a file
  static constexpr std::chrono::seconds kept_for{300};     ///< then all is read, or asked, again
  static constexpr std::chrono::seconds helper_time{10};   ///< for a helper to answer
  static constexpr std::chrono::seconds helper_pause{10};  ///< between two runs of one
  static constexpr std::chrono::seconds refused_rest{60};

  /// `log` may be nullptr; `now` empty: Clock::now.
  Logins(metrics::Log* log, Environment environment, std::function<Clock::time_point()> now = {});

  /// One that is used, and its place in the configuration's list.
  struct Chosen {
    std::shared_ptr<const Login> login = {};  ///< nullptr: nobody knows one for this upstream
    std::size_t which = 0;
  };

  /// Ends at once unless something has to be looked at. Errors: Errc::upstream_failed, retryable:
  /// what should know the login failed, and never had one.
  boost::asio::awaitable<Result<Chosen>> current(
      std::shared_ptr<const Settings::Upstream> upstream);

  /// The upstream does not take it: looks again before it is given another time, and lets others go
  /// first for a while.
  void refused(const Settings::Upstream& upstream, const Chosen& chosen);

  /// Lets others go first for so long, where there are others.
  void rest(const Settings::Upstream& upstream, std::size_t which, std::chrono::seconds time);

 private:
  struct State;
  struct Work;
  static boost::asio::awaitable<Result<std::shared_ptr<const Login>>> look(
      std::shared_ptr<State> state, std::shared_ptr<const Work> work);
  static boost::asio::awaitable<Result<std::shared_ptr<const Login>>> at(
      std::shared_ptr<State> state, std::shared_ptr<const Settings::Upstream> upstream,
      std::size_t which);

  std::shared_ptr<State> state_;
};

}  // namespace archway::proxy
