#include "proxy/upstream/connection.hpp"

#include "proxy/http/tls.hpp"
#include "proxy/upstream/tunnel.hpp"
#include "resolver/redirect.hpp"

#include <algorithm>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/ip/address_v6.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/error_code.hpp>
#include <iterator>
#include <utility>

namespace archway::proxy {

namespace net = boost::asio;

namespace {

constexpr std::size_t piece_bytes = 16 * 1024;  // a head, and the start of a body behind it

Error unreachable(const resolver::Url& url, std::string context) {
  return {.code = Errc::upstream_unreachable,
          .origin = Origin::upstream,
          .message = url.host + " cannot be reached",
          .context = std::move(context),
          .retryable = true};
}

Error not_permitted(const resolver::Url& url) {
  return {.code = Errc::denied,
          .origin = Origin::upstream,
          .message = "the upstream refers to " + url.host +
                     ", an address in a network that it has no business in",
          .context = "refused to dial " + url.origin()};
}

net::ip::tcp::endpoint endpoint_of(const resolver::Address& address, std::uint16_t port) {
  const net::ip::address_v6 v6(address.bytes);
  if (v6.is_v4_mapped()) return {net::ip::make_address_v4(net::ip::v4_mapped, v6), port};
  return {v6, port};
}

bool is_v4(const resolver::Address& address) {
  return net::ip::address_v6(address.bytes).is_v4_mapped();
}

}  // namespace

void take_turns(Names::Addresses& addresses) {
  if (addresses.empty()) return;
  const bool first = is_v4(addresses.front());
  const auto same = [first](const resolver::Address& address) { return is_v4(address) == first; };
  Names::Addresses own;
  Names::Addresses other;
  std::partition_copy(addresses.begin(), addresses.end(), std::back_inserter(own),
                      std::back_inserter(other), same);
  addresses.clear();
  for (std::size_t i = 0; i < std::max(own.size(), other.size()); ++i) {
    if (i < own.size()) addresses.push_back(own[i]);
    if (i < other.size()) addresses.push_back(other[i]);
  }
}

net::awaitable<Result<std::size_t>> Connection::receive_more() {
  const auto before = received.size();
  received.resize(before + piece_bytes);
  const auto got = co_await stream->read_some(received.data() + before, piece_bytes);
  received.resize(before + (got ? *got : 0));
  co_return got;
}

net::awaitable<Connector::Made> Connector::dial(resolver::Address address, resolver::Url url) {
  const auto executor = co_await net::this_coro::executor;
  const auto endpoint = endpoint_of(address, url.port);
  const auto where = address.str() + " port " + std::to_string(url.port);
  Stream::Socket socket(executor);
  boost::system::error_code error;
  socket.open(net::generic::stream_protocol(endpoint.protocol()), error);
  if (error) co_return unreachable(url, "socket for " + where + ": " + error.message());

  auto connection = std::make_unique<Connection>();
  connection->address = address;
  connection->stream = std::make_unique<Stream>(std::move(socket));
  auto& stream = *connection->stream;
  stream.deadline_in(timeouts_.connect);
  const net::generic::stream_protocol::endpoint target(endpoint);
  co_await stream.socket().async_connect(target, net::redirect_error(net::use_awaitable, error));
  if (!stream.open()) co_return unreachable(url, "connect to " + where + ": no answer in time");
  if (error) co_return unreachable(url, "connect to " + where + ": " + error.message());
  co_return connection;
}

net::awaitable<Result<void>> Connector::secure(Connection* connection, resolver::Url url) {
  if (url.scheme != "https") co_return Result<void>();
  connection->stream->deadline_in(timeouts_.tls);
  const auto secured =
      co_await connection->stream->connect_tls(ways_.tls_for(url), ways_.name_for(url));
  if (secured) co_return secured;
  Error error = unreachable(url, secured.error().context);
  error.message += ": " + secured.error().message;
  co_return error;
}

/// Tries one address after the other, with TLS where the URL wants it.
net::awaitable<Connector::Made> Connector::dial_any(Names::Addresses addresses, resolver::Url url) {
  take_turns(addresses);
  if (addresses.size() > addresses_max) addresses.resize(addresses_max);
  Error last = unreachable(url, "no address");
  for (const auto& address : addresses) {
    auto connection = co_await dial(address, url);
    if (connection) {
      const auto secured = co_await secure(connection->get(), url);
      if (secured) co_return connection;
      last = secured.error();
      last.context = address.str() + " port " + std::to_string(url.port) + ": " + last.context;
    } else {
      last = connection.error();
    }
  }
  co_return last;
}

net::awaitable<Connector::Made> Connector::connect_directly(Destination destination) {
  auto addresses = co_await names_->find(destination.url.host, timeouts_.resolve);
  if (!addresses) co_return addresses.error();
  if (destination.named_by) {
    std::erase_if(*addresses, [&](const resolver::Address& address) {
      return !resolver::address_permitted(address, *destination.named_by);
    });
    if (addresses->empty()) co_return not_permitted(destination.url);
  }
  co_return co_await dial_any(*std::move(addresses), destination.url);
}

net::awaitable<Connector::Made> Connector::connect_through(resolver::Proxy proxy,
                                                           Destination destination) {
  const auto& url = destination.url;
  if (!proxy.unusable.empty()) {
    Error error = unreachable(url, proxy.unusable);
    error.message += ": " + proxy.unusable;
    error.retryable = false;
    co_return error;
  }
  const auto literal = resolver::Address::parse(url.host);
  if (destination.named_by) {
    const bool permitted = literal ? resolver::address_permitted(*literal, *destination.named_by)
                                   : resolver::name_permitted(url.host, ways_.home_host);
    if (!permitted) co_return not_permitted(url);
  }
  auto addresses = co_await names_->find(proxy.host, timeouts_.resolve);
  if (!addresses) co_return addresses.error();
  const resolver::Url at_proxy{
      .scheme = "http", .host = proxy.host, .port = proxy.port, .target = "/"};
  auto made = co_await dial_any(*std::move(addresses), at_proxy);
  if (!made) {
    Error error = made.error();
    error.message = url.host + " cannot be reached: the proxy " + proxy.authority() +
                    " does not accept connections";
    co_return error;
  }
  auto connection = *std::move(made);
  connection->address = literal ? *literal : resolver::beyond_a_proxy();
  if (url.scheme != "https") {
    connection->forwarder = std::move(proxy);
    co_return connection;
  }
  // The proxy resolves and connects in our place, so it has the time for both.
  const auto time = timeouts_.resolve + timeouts_.connect;
  const auto opened = co_await open_tunnel(connection.get(), &proxy, &url, time);
  if (!opened) co_return opened.error();
  const auto secured = co_await secure(connection.get(), url);
  if (!secured) co_return secured.error();
  co_return connection;
}

net::awaitable<Connector::Made> Connector::connect(Destination destination) {
  const auto* const proxy = ways_.proxies.for_url(destination.url);
  if (proxy == nullptr) co_return co_await connect_directly(std::move(destination));
  co_return co_await connect_through(*proxy, std::move(destination));
}

}  // namespace archway::proxy
