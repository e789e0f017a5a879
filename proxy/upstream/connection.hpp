#pragma once

#include "metrics/log.hpp"
#include "proxy/config/settings.hpp"
#include "proxy/http/stream.hpp"
#include "proxy/upstream/names.hpp"
#include "proxy/upstream/ways.hpp"
#include "resolver/model/result.hpp"
#include "resolver/network.hpp"
#include "resolver/url.hpp"

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <optional>
#include <string>

namespace archway::proxy {

/// A connection to some host, with the bytes that were read from it and not yet used.
/// Threads: the one that connected.
struct Connection {
  std::unique_ptr<Stream> stream;
  /// Where it really leads; resolver::beyond_a_proxy() when only a proxy knows.
  resolver::Address address;
  /// It leads to a proxy that reads the requests itself: they name the whole URL, and bear these
  /// credentials (as Proxy::user_info).
  std::optional<resolver::Proxy> forwarder = {};
  std::string received = {};
  bool reused = false;    ///< it has answered an earlier request
  bool answered = false;  ///< something has come in answer to the present one

  /// Appends what comes next to `received`; 0 at the orderly end. Errors: Stream's.
  boost::asio::awaitable<Result<std::size_t>> receive_more();
};

/// Where to connect, and on what conditions.
struct Destination {
  resolver::Url url;  ///< its scheme, host and port count
  /// The address of the upstream that named this destination: from there only certain addresses may
  /// be reached (resolver::address_permitted). None: the operator named it, any address will do.
  std::optional<resolver::Address> named_by = {};
};

/// Lets the address families alternate, beginning with the first address's; the order within each
/// stays. So a family that leads nowhere takes up half of the tries at most.
///
/// Source: RFC 8305 section 4.
void take_turns(Names::Addresses& addresses);

/// Makes connections of one upstream on one thread: names, addresses in their order, TLS; each step
/// within its configured bound. Threads: one.
class Connector {
 public:
  static constexpr std::size_t addresses_max = 4;  ///< tried for one connection

  Connector(std::shared_ptr<Names> names, Ways ways, const Settings::Timeouts& timeouts)
      : names_(std::move(names)), ways_(std::move(ways)), timeouts_(timeouts) {}

  /// Errors: Errc::upstream_unreachable; Errc::denied when every address is one that `named_by` may
  /// not lead to (checked on the very address that is dialled: a name that changes gains nothing).
  /// Through a proxy, which resolves names itself, only addresses and the look of a name are
  /// checked.
  boost::asio::awaitable<Result<std::unique_ptr<Connection>>> connect(Destination destination);

 private:
  using Made = Result<std::unique_ptr<Connection>>;

  boost::asio::awaitable<Made> connect_directly(Destination destination);
  boost::asio::awaitable<Made> connect_through(resolver::Proxy proxy, Destination destination);
  boost::asio::awaitable<Made> dial_any(Names::Addresses addresses, resolver::Url url);
  boost::asio::awaitable<Made> dial(resolver::Address address, resolver::Url url);
  boost::asio::awaitable<Result<void>> secure(Connection* connection, resolver::Url url);

  std::shared_ptr<Names> names_;
  Ways ways_;
  Settings::Timeouts timeouts_;
};

}  // namespace archway::proxy
