#include "proxy/http/listener.hpp"

#include <algorithm>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>
#include <exception>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace archway::proxy {

namespace net = boost::asio;

namespace {

constexpr std::chrono::milliseconds pause_when_exhausted{50};
constexpr int backlog = 4096;

Error cannot_bind(const Settings::Endpoint& endpoint, std::string_view step, int error) {
  return {.code = Errc::configuration_invalid,
          .origin = Origin::configuration,
          .message = "cannot listen on " + endpoint.str() + ": " + std::string(step) + ": " +
                     std::strerror(error),
          // Somebody else's socket, or an interface that is not up yet: not a wrong setting.
          .retryable = error == EADDRINUSE || error == EADDRNOTAVAIL};
}

Result<sockaddr_un> unix_address(const Settings::Endpoint& endpoint) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (endpoint.unix_path.size() >= sizeof address.sun_path) {
    return cannot_bind(endpoint, "the path is too long", ENAMETOOLONG);
  }
  std::copy(endpoint.unix_path.begin(), endpoint.unix_path.end(), address.sun_path);
  return address;
}

/// Nobody answers at that path: nothing is there, or what a predecessor left.
Result<void> check_unix_free(const Settings::Endpoint& endpoint) {
  const auto address = unix_address(endpoint);
  if (!address) return address.error();
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return cannot_bind(endpoint, "socket", errno);
  const auto* raw = reinterpret_cast<const sockaddr*>(&*address);
  const bool answered = ::connect(fd, raw, sizeof *address) == 0 || errno == EAGAIN;
  ::close(fd);
  if (answered) return cannot_bind(endpoint, "bind", EADDRINUSE);
  return {};
}

Result<int> bind_unix(const Settings::Endpoint& endpoint) {
  const auto address = unix_address(endpoint);
  if (!address) return address.error();
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return cannot_bind(endpoint, "socket", errno);
  // What a predecessor left goes; what is no socket is somebody's file and stays.
  const char* path = endpoint.unix_path.c_str();
  struct stat found {};
  if (::lstat(path, &found) == 0 && S_ISSOCK(found.st_mode)) ::unlink(path);
  const auto* raw = reinterpret_cast<const sockaddr*>(&*address);
  // Its owner alone may connect; nobody can before listen().
  if (::bind(fd, raw, sizeof *address) != 0 || ::chmod(path, S_IRUSR | S_IWUSR) != 0 ||
      ::listen(fd, backlog) != 0) {
    const int error = errno;
    ::close(fd);
    return cannot_bind(endpoint, "bind", error);
  }
  return fd;
}

Result<int> bind_tcp(const Settings::Endpoint& endpoint, bool shared) {
  boost::system::error_code error;
  const auto address = net::ip::make_address(endpoint.address, error);
  if (error) return cannot_bind(endpoint, "the address is not an IP address", EINVAL);
  const net::ip::tcp::endpoint at(address, endpoint.port);
  const int fd =
      ::socket(at.protocol().family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
  if (fd < 0) return cannot_bind(endpoint, "socket", errno);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (shared) setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  if (address.is_v6()) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  if (::bind(fd, at.data(), static_cast<socklen_t>(at.size())) != 0 ||
      (shared && ::listen(fd, backlog) != 0)) {
    const int why = errno;
    ::close(fd);
    return cannot_bind(endpoint, "bind", why);
  }
  return fd;
}

/// The address of a connected socket; the unspecified one for a unix socket.
resolver::Address address_of(const net::generic::stream_protocol::endpoint& endpoint) {
  resolver::Address address;
  if (endpoint.data()->sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, endpoint.data(), sizeof v4);
    address.bytes[10] = address.bytes[11] = 0xff;
    std::memcpy(address.bytes.data() + 12, &v4.sin_addr, 4);
  } else if (endpoint.data()->sa_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, endpoint.data(), sizeof v6);
    std::memcpy(address.bytes.data(), &v6.sin6_addr, 16);
  }
  return address;
}

/// There is too little of something: clients (no error), descriptors or memory.
bool is_scarcity(const boost::system::error_code& why) {
  const int number = why.value();
  return !why || number == EMFILE || number == ENFILE || number == ENOBUFS || number == ENOMEM;
}

/// One more client for as long as it lives.
class Counted {
 public:
  Counted(ConnectionCount* count, metrics::Metrics* metrics) : count_(count), metrics_(metrics) {
    ++*count_;
    metrics_->connection_opened();
  }
  ~Counted() {
    --*count_;
    metrics_->connection_closed();
  }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

 private:
  ConnectionCount* count_;
  metrics::Metrics* metrics_;
};

net::awaitable<void> serve_client(Stream::Socket socket, resolver::Address address,
                                  std::shared_ptr<const ListenerParts> parts) {
  const Counted counted(parts->count, parts->metrics);
  Stream stream(std::move(socket));
  auto peer = std::make_shared<Peer>();
  peer->address = address;
  peer->listener_platform = parts->platform;
  if (parts->tls) {
    stream.deadline_in(parts->bounds.request);
    const auto shaken = co_await stream.accept_tls(parts->tls->get());
    if (!shaken) {
      parts->log->debug("a client's TLS handshake failed",
                        {{"client", address.str()}, {"why", shaken.error().context}});
      co_await stream.close_gently();  // Or what OpenSSL told the client may not reach it.
      co_return;
    }
    peer->tls = true;
    peer->server_name = stream.server_name();
    peer->certificate = stream.peer_certificate_name();
  }
  co_await serve_connection(&stream, peer, parts->handler, parts->connections, parts->bounds);
}

}  // namespace

Result<void> check_free(const Settings::Endpoint& endpoint) {
  if (!endpoint.unix_path.empty()) return check_unix_free(endpoint);
  const auto fd = bind_tcp(endpoint, false);
  if (!fd) return fd.error();
  ::close(*fd);
  return {};
}

Result<BoundSocket> bind_listener(const Settings::Endpoint& endpoint) {
  const auto fd = endpoint.unix_path.empty() ? bind_tcp(endpoint, true) : bind_unix(endpoint);
  if (!fd) return fd.error();
  BoundSocket bound{.fd = *fd, .endpoint = endpoint};
  if (endpoint.unix_path.empty() && endpoint.port == 0) {
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    getsockname(*fd, reinterpret_cast<sockaddr*>(&storage), &size);
    // The port stands at the same place in both families.
    bound.endpoint.port = ntohs(reinterpret_cast<const sockaddr_in*>(&storage)->sin_port);
  }
  return bound;
}

/// Shared with the accepting coroutine, which may run on a little after stop().
struct Listener::Accepting : std::enable_shared_from_this<Accepting> {
  using Acceptor = net::basic_socket_acceptor<net::generic::stream_protocol>;

  Accepting(const net::any_io_executor& executor, BoundSocket socket, ListenerParts with)
      : acceptor(executor),
        pause(executor),
        parts(std::make_shared<ListenerParts>(std::move(with))) {
    acceptor.assign(
        net::generic::stream_protocol(
            socket.endpoint.unix_path.empty()
                ? (socket.endpoint.address.find(':') == std::string::npos ? AF_INET : AF_INET6)
                : AF_UNIX,
            0),
        socket.fd);
    // Asio otherwise goes on to wait, although others may stand behind the client that left.
    acceptor.set_option(net::socket_base::enable_connection_aborted(true));
  }

  bool full() const { return parts->count->load() >= parts->count_max; }
  bool somebody_waits() {
    pollfd waiting{.fd = acceptor.native_handle(), .events = POLLIN, .revents = 0};
    return ::poll(&waiting, 1, 0) > 0;
  }

  Acceptor acceptor;
  net::steady_timer pause;
  std::shared_ptr<const ListenerParts> parts;
  bool stopped = false;

  static net::awaitable<void> run(std::shared_ptr<Accepting> self);
  static net::awaitable<bool> accept_one(std::shared_ptr<Accepting> self);
  static net::awaitable<bool> make_room(std::shared_ptr<Accepting> self,
                                        boost::system::error_code why);
  static net::awaitable<void> wait_a_moment(std::shared_ptr<Accepting> self);
};

/// True when an idle connection went, so that whoever waits can be tried at once.
net::awaitable<bool> Listener::Accepting::make_room(std::shared_ptr<Accepting> self,
                                                    boost::system::error_code why) {
  if (!self->somebody_waits()) co_return false;
  const auto& parts = *self->parts;
  const bool went = is_scarcity(why) && parts.connections->close_oldest_idle();
  parts.log->write_seldom(
      went ? "room" : "accept", metrics::Level::warn,
      went ? "an idle connection makes room for a new client" : "new clients have to wait",
      {{"why", why ? why.message() : std::string("connections_max is reached")}});
  // Behind what the closed connection still has to do.
  if (went) co_await net::post(self->acceptor.get_executor(), net::use_awaitable);
  co_return went;
}

/// False when it is better to wait a moment before the next.
net::awaitable<bool> Listener::Accepting::accept_one(std::shared_ptr<Accepting> self) {
  const auto executor = self->acceptor.get_executor();
  boost::system::error_code error;
  Stream::Socket socket(executor);
  Acceptor::endpoint_type from;
  const bool full = self->full();
  if (!full) {
    co_await self->acceptor.async_accept(socket, from,
                                         net::redirect_error(net::use_awaitable, error));
  }
  if (self->stopped) co_return false;
  if (!full && !error) {
    net::co_spawn(executor, serve_client(std::move(socket), address_of(from), self->parts),
                  [parts = self->parts](std::exception_ptr escaped) {
                    if (!escaped) return;
                    parts->log->write_seldom("exception", metrics::Level::error,
                                             "a connection ended by an exception", {});
                  });
    co_return true;
  }
  if (error == net::error::connection_aborted || error == net::error::interrupted) co_return true;
  co_return co_await make_room(self, error);
}

net::awaitable<void> Listener::Accepting::wait_a_moment(std::shared_ptr<Accepting> self) {
  boost::system::error_code ignored;
  self->pause.expires_after(pause_when_exhausted);
  co_await self->pause.async_wait(net::redirect_error(net::use_awaitable, ignored));
}

net::awaitable<void> Listener::Accepting::run(std::shared_ptr<Accepting> self) {
  while (!self->stopped) {
    bool at_once = false;
    try {
      at_once = co_await accept_one(self);
    } catch (const std::exception&) {
      // No memory for one client is no reason to leave all later ones in the backlog.
    }
    if (!at_once && !self->stopped) co_await wait_a_moment(self);
  }
}

Listener::Listener(net::any_io_executor executor, BoundSocket socket, ListenerParts parts)
    : accepting_(std::make_shared<Accepting>(executor, std::move(socket), std::move(parts))) {}

Listener::~Listener() = default;

void Listener::start() {
  net::co_spawn(accepting_->acceptor.get_executor(), Accepting::run(accepting_),
                [log = accepting_->parts->log](std::exception_ptr escaped) {
                  if (escaped) log->error("accepting ended by an exception");
                });
}

void Listener::stop() {
  accepting_->stopped = true;
  boost::system::error_code ignored;
  accepting_->acceptor.close(ignored);
  accepting_->pause.cancel();
}

}  // namespace archway::proxy
