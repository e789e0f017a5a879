#pragma once

#include "metrics/log.hpp"
#include "metrics/metrics.hpp"
#include "proxy/config/settings.hpp"
#include "proxy/http/message.hpp"
#include "proxy/upstream/body.hpp"
#include "proxy/upstream/connection.hpp"
#include "proxy/upstream/pool.hpp"
#include "resolver/model/result.hpp"
#include "resolver/network.hpp"
#include "resolver/url.hpp"

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <optional>
#include <string>

namespace archway::proxy {

/// A request to an upstream or to where it leads; never with a body.
struct Ask {
  Method method = Method::get;  ///< get or head
  Destination destination;
  Fields fields = {};  ///< beside Host, User-Agent, Accept-Encoding and Connection
};

/// What came back: the head, and the body still on its way.
struct Answer {
  AnswerHead head;
  std::unique_ptr<Body> body;
  resolver::Address address;  ///< who gave it
  bool elsewhere = false;     ///< it is of another origin, which the upstream redirected to
};

/// One request and its answer on one connection, an idle one where there is one. A request that
/// fails on an idle connection before a byte of the answer is sent once more on a new one: the
/// other side may have closed it in the very moment. Redirects and challenges are answers like any
/// other.
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

  explicit Exchange(Parts parts) : parts_(std::move(parts)) {}

  /// Errors: Connector's; Errc::upstream_unreachable when no head comes in time, the connection
  /// ends or breaks before one; Errc::upstream_failed for a head that makes no sense.
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
