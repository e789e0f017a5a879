#pragma once

#include "proxy/config/settings.hpp"
#include "proxy/upstream/exchange.hpp"
#include "proxy/upstream/tokens.hpp"
#include "resolver/model/name.hpp"
#include "resolver/model/result.hpp"

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace archway::proxy {

/// A request to an upstream, all the way: asked, challenged and asked again with a token, and led
/// through redirects to whoever has the bytes. What it bears for the upstream never leaves the
/// upstream's origin, and once it has left, nobody's challenge is answered any more.
///
/// Where an upstream has several credentials, one that has had too many requests (429), or has few
/// left of what its account may, makes way for the next.
///
/// What is written is led on by 307 and 308 alone, which keep method and body. A body from a source
/// can be sent only once: it bears what an earlier challenge of the same repository asked for (that
/// of the POST which opens an upload), and every answer to it is the last.
///
/// Threads: one.
class RequestFlow {
 public:
  struct Parts {
    std::shared_ptr<const Settings::Upstream> upstream;
    std::shared_ptr<Exchange> exchange;
    std::shared_ptr<Tokens> tokens;
    Settings::Timeouts timeouts;
    std::string bears = {};  ///< sent with the first request instead of what tokens would say
  };

  /// What is wanted of the upstream; the target is one of its own origin.
  struct Wish {
    Verb verb = Verb::get;
    std::string target;
    std::string repository;  ///< whose challenge is remembered, for reading and writing apart
    Fields fields = {};
    RequestBody body = {};        ///< of `post` and `put`
    std::string also_reads = {};  ///< a second repository that the token has to be good for
    /// Instead of `target`: a place of another origin, which the upstream named. It gets no
    /// credential.
    std::optional<Destination> elsewhere = {};
  };

  explicit RequestFlow(Parts parts);

  /// The last answer: of any status but a redirect that was followed or a challenge that was met.
  ///
  /// Errors: Exchange's and Tokens'; Errc::upstream_failed for redirects that lead nowhere.
  boost::asio::awaitable<Result<Answer>> run(Wish wish);

  const Settings::Upstream& upstream() const { return *parts_.upstream; }
  /// The target of what is behind the repository in the registry's API: `manifests/1.22`.
  std::string target(const Repository& repository, const std::string& what) const;
  void close() { parts_.exchange->close(); }

 private:
  /// What every request of a wish needs to be authorised.
  struct Need {
    std::string memory;  // what its challenge is remembered by
    std::string also_reads;
  };
  static Need need_of(const Wish& wish);
  std::string remembered_for() const;
  Ask ask_of(Wish wish) const;
  bool may_lead_to(const resolver::Url& url) const;
  /// True when the credential the answer was given for has to let others go first.
  bool rest_if_low(const Answer& answer);
  boost::asio::awaitable<Result<Authorization>> meet(Challenged challenged, Need need,
                                                     std::string rejected);
  boost::asio::awaitable<Result<Authorization>> prepare(Need need);

  Parts parts_;
  std::chrono::milliseconds token_patience_;
};

}  // namespace archway::proxy
