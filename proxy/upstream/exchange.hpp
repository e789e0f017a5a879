#pragma once

#include "metrics/log.hpp"
#include "metrics/metrics.hpp"
#include "proxy/config/settings.hpp"
#include "proxy/http/message.hpp"
#include "proxy/upstream/body.hpp"
#include "proxy/upstream/connection.hpp"
#include "proxy/upstream/pool.hpp"
#include "proxy/upstream/request_body.hpp"
#include "resolver/model/result.hpp"
#include "resolver/network.hpp"
#include "resolver/url.hpp"

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace archway::proxy {

/// What is asked of an upstream; the gateway itself only reads (`get`, `head`) and asks token
/// services for tokens, the command line also writes.
enum class Verb : std::uint8_t { get, head, post, put };

constexpr bool reads(Verb verb) {
  return verb == Verb::get || verb == Verb::head;
}

/// A request to an upstream or to where it leads.
struct Ask {
  Verb verb = Verb::get;
  Destination destination;
  Fields fields = {};     ///< beside Host, User-Agent, Accept-Encoding, Connection, Content-Length
  RequestBody body = {};  ///< of `post` and `put`
};

/// What came back: the head, and the body still on its way.
struct Answer {
  AnswerHead head;
  std::unique_ptr<Body> body;
  resolver::Address address;  ///< who gave it
  bool elsewhere = false;     ///< it is of another origin, which the upstream led to
  resolver::Url url = {};     ///< what gave it, behind all redirects
  /// The place in the upstream's list of the credentials it was given for; none: without any.
  std::optional<std::size_t> credential = {};
};

/// One request and its answer on one connection, an idle one where there is one. A request that
/// fails on an idle connection before a byte of the answer is sent once more on a new one: the
/// other side may have closed it in the very moment. One whose body comes from a source is not.
/// Redirects and challenges are answers like any other, also those that come before all of the
/// request has left.
///
/// Every exchange is counted and leaves a debug line; neither bears a query (it may be signed) or a
/// field. Threads: one.
class Exchange {
 public:
  struct Parts {
    std::string upstream;  ///< the configured name: metric label and log field
    Connector connector;
    std::shared_ptr<Pool> pool;
    Settings::Timeouts timeouts;
    metrics::Log* log;          ///< may be nullptr
    metrics::Metrics* metrics;  ///< may be nullptr
  };

  /// A registry reads back what it was sent before it answers, and blobs are large: so many times
  /// the time for a first byte it has behind a body from a source.
  static constexpr int settling_factor = 10;

  explicit Exchange(Parts parts) : parts_(std::move(parts)) {}

  /// Errors: Connector's; Errc::upstream_unreachable when no head comes in time, the connection
  /// ends or breaks before one; Errc::upstream_failed for a head that makes no sense; the body
  /// source's, and then the request was not finished.
  boost::asio::awaitable<Result<Answer>> run(Ask ask);

  void close() { parts_.pool->close(); }

 private:
  boost::asio::awaitable<Result<Answer>> run_unseen(Ask ask, bool* reused);
  boost::asio::awaitable<Result<AnswerHead>> send(Connection* connection, Ask ask);
  boost::asio::awaitable<Result<AnswerHead>> read_head(Connection* connection, bool to_head);
  Answer answer(std::unique_ptr<Connection> connection, AnswerHead head, const std::string& origin);

  Parts parts_;
};

/// A URL for the log: without its query.
std::string without_query(const resolver::Url& url);

}  // namespace archway::proxy
