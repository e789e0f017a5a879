#pragma once

#include "metrics/log.hpp"
#include "metrics/metrics.hpp"
#include "proxy/config/settings.hpp"
#include "proxy/http/connection.hpp"
#include "proxy/http/tls.hpp"

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace archway::proxy {

/// A bound socket, one for each loop (SO_REUSEPORT): the kernel spreads the clients over them.
struct BoundSocket {
  int fd = -1;
  Settings::Endpoint endpoint;  ///< with the port that the kernel chose, when 0 was asked
};

/// Says whether nobody listens there yet. Needed once before the first bind_listener(), because
/// sockets that share a port (SO_REUSEPORT) would also share it with another process of this user.
/// Errors: Errc::configuration_invalid, as bind_listener().
Result<void> check_free(const Settings::Endpoint& endpoint);

/// Binds and listens. Errors: Errc::configuration_invalid; the message names the address and what
/// the system said.
Result<BoundSocket> bind_listener(const Settings::Endpoint& endpoint);

/// How many clients are connected, over all loops. Threads: any.
using ConnectionCount = std::atomic<std::uint32_t>;

/// What a listener needs beside its socket; everything outlives it.
struct ListenerParts {
  std::optional<Platform> platform;
  std::shared_ptr<TlsHolder> tls;  ///< nullptr: plaintext
  Handler* handler;
  ConnectionSet* connections;
  ConnectionBounds bounds;
  ConnectionCount* count;
  std::uint32_t count_max;
  metrics::Log* log;
  metrics::Metrics* metrics;
};

/// Accepts on one loop until stop(). At `count_max` clients, and where descriptors or memory run
/// out, the loop's longest idle connection makes room for whoever waits in the kernel's backlog;
/// where none is idle it pauses a moment instead of spinning.
class Listener {
 public:
  Listener(boost::asio::any_io_executor executor, BoundSocket socket, ListenerParts parts);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  void start();
  void stop();

 private:
  struct Accepting;
  std::shared_ptr<Accepting> accepting_;
};

}  // namespace archway::proxy
