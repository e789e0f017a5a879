#pragma once

#include "proxy/config/settings.hpp"
#include "proxy/upstream/exchange.hpp"
#include "proxy/upstream/tokens.hpp"
#include "resolver/model/result.hpp"

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <memory>
#include <string>

namespace archway::proxy {

/// A request to an upstream, all the way: asked, challenged and asked again with a token, and led
/// through redirects to whoever has the bytes. What it bears for the upstream never leaves the
/// upstream's origin, and once it has left, nobody's challenge is answered any more.
///
/// Threads: one.
class RequestFlow {
 public:
  struct Parts {
    std::shared_ptr<const Settings::Upstream> upstream;
    std::shared_ptr<Exchange> exchange;
    std::shared_ptr<Tokens> tokens;
    Settings::Timeouts timeouts;
  };

  /// What is wanted of the upstream; the target is one of its own origin.
  struct Wish {
    Method method = Method::get;
    std::string target;
    std::string repository;  ///< whose challenge is remembered
    Fields fields = {};
  };

  explicit RequestFlow(Parts parts);

  /// The last answer: of any status but a redirect that was followed or a challenge that was met.
  ///
  /// Errors: Exchange's and Tokens'; Errc::upstream_failed for redirects that lead nowhere.
  boost::asio::awaitable<Result<Answer>> run(Wish wish);

  const Settings::Upstream& upstream() const { return *parts_.upstream; }
  void close() { parts_.exchange->close(); }

 private:
  boost::asio::awaitable<Result<std::string>> meet(Challenged challenged, std::string rejected);
  boost::asio::awaitable<Result<std::string>> prepare(std::string repository);

  Parts parts_;
  std::chrono::milliseconds token_patience_;
};

}  // namespace archway::proxy
