#include "proxy/upstream/tunnel.hpp"

#include "proxy/base64.hpp"
#include "proxy/upstream/answer_head.hpp"
#include "proxy/version.hpp"
#include "proxy/wipe.hpp"

#include <string>
#include <utility>

namespace archway::proxy {

namespace net = boost::asio;

namespace {

/// `host:port`, the port always said.
std::string target_of(const resolver::Url& url) {
  const bool v6 = url.host.find(':') != std::string::npos;
  return (v6 ? "[" + url.host + "]" : url.host) + ":" + std::to_string(url.port);
}

std::string connect_head(const resolver::Proxy& proxy, const resolver::Url& url) {
  const auto target = target_of(url);
  std::string text = "CONNECT " + target + " HTTP/1.1\r\nHost: " + target +
                     "\r\nUser-Agent: archway/" + std::string(version) + "\r\n";
  if (!proxy.user_info.empty()) {
    text += "Proxy-Authorization: Basic " + to_base64(proxy.user_info) + "\r\n";
  }
  return text + "\r\n";
}

Error not_reached(const resolver::Proxy& proxy, const resolver::Url& url, const std::string& why,
                  std::string context) {
  return {.code = Errc::upstream_unreachable,
          .origin = Origin::upstream,
          .message = url.host + " cannot be reached: the proxy " + proxy.authority() + " " + why,
          .context =
              "CONNECT " + target_of(url) + " at " + proxy.authority() + ": " + std::move(context),
          .retryable = true};
}

Error no_proxy_there(const resolver::Proxy& proxy, const resolver::Url& url, std::string context) {
  Error error = not_reached(proxy, url, "gives an answer that makes no sense", std::move(context));
  error.code = Errc::upstream_failed;
  return error;
}

}  // namespace

Error refused_by_proxy(const resolver::Proxy& proxy, const resolver::Url& url, unsigned status) {
  const auto context = "status " + std::to_string(status);
  if (status == 407) {
    Error error = not_reached(proxy, url,
                              proxy.user_info.empty() ? "asks for a user name and password"
                                                      : "refuses the user name and password",
                              context);
    error.retryable = false;
    return error;
  }
  if (status < 500) {
    Error error =
        not_reached(proxy, url, "does not let archway through (" + context + ")", context);
    error.retryable = status == 408 || status == 429;
    return error;
  }
  return not_reached(proxy, url, "cannot reach it either (" + context + ")", context);
}

net::awaitable<Result<void>> open_tunnel(Connection* connection, const resolver::Proxy* proxy,
                                         const resolver::Url* url, std::chrono::milliseconds time) {
  connection->stream->deadline_in(time);
  auto request = connect_head(*proxy, *url);
  const auto written = co_await connection->stream->write(request.data(), request.size(), false);
  wipe(request);  // It may have borne a password.
  if (!written) co_return not_reached(*proxy, *url, "ended the connection", "write");
  auto& received = connection->received;
  for (int interim = 0; interim <= interim_answers_max;) {
    const auto end = answer_head_end(received);
    if (end == std::string::npos) {
      if (received.size() > answer_head_bytes_max) {
        co_return no_proxy_there(*proxy, *url, "the head is longer than 64 KiB");
      }
      const auto got = co_await connection->receive_more();
      if (!connection->stream->open()) {
        co_return not_reached(*proxy, *url, "does not answer in time", "no answer");
      }
      if (!got || *got == 0) {
        co_return not_reached(*proxy, *url, "ended the connection", "no answer");
      }
      continue;
    }
    // Whatever a good answer says of a body, it has none: what follows comes from the tunnel's end.
    const auto head = read_answer_head(std::string_view(received).substr(0, end), true);
    if (!head) co_return no_proxy_there(*proxy, *url, head.error().context);
    received.erase(0, end);
    if (head->interim()) {
      ++interim;
      continue;
    }
    if (head->status >= 300) co_return refused_by_proxy(*proxy, *url, head->status);
    // Nobody speaks in a tunnel before we do.
    if (!received.empty()) co_return no_proxy_there(*proxy, *url, "bytes behind the head");
    co_return Result<void>();
  }
  co_return no_proxy_there(*proxy, *url, "there are too many interim answers");
}

}  // namespace archway::proxy
