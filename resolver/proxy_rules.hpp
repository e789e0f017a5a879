#pragma once

#include "resolver/model/result.hpp"
#include "resolver/url.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace archway::resolver {

/// A forward proxy that is spoken to in plain HTTP: what passes it to an https upstream is
/// encrypted all the same.
struct Proxy {
  std::string host;  ///< as Url::host
  std::uint16_t port = 80;
  /// `name:password`, decoded; "" for none. Never for messages or logs.
  std::string user_info = {};
  /// Why it cannot be used; "" when it can. What should have gone through it goes nowhere then.
  std::string unusable = {};

  /// `http://[name:password@]host[:port]`; without a scheme it is http, without a port 80.
  ///
  /// Errors: Errc::configuration_invalid; the message never shows the text.
  static Result<Proxy> parse(std::string_view text);

  /// `host:port`, without the user information.
  std::string authority() const;

  friend bool operator==(const Proxy&, const Proxy&) = default;
};

/// Which URLs are reached through which proxy.
struct ProxyRules {
  std::optional<Proxy> https = {};
  std::optional<Proxy> http = {};
  /// Reached without one: `*`, a network, an address, `example.com` (and all below it),
  /// `.example.com` (only what is below it), each with `:port` for that port alone.
  std::vector<std::string> except = {};
  bool loopback_too = false;  ///< this machine itself is reached through it as well

  /// nullptr: reached without a proxy.
  const Proxy* for_url(const Url& url) const;
};

/// Rules as the variables HTTPS_PROXY, HTTP_PROXY and NO_PROXY mean them to most programs, "" being
/// the same as not set. A proxy that cannot be used is one that is `unusable`: what would leak past
/// it stays here instead.
ProxyRules proxy_rules_of(const std::string& https_proxy, const std::string& http_proxy,
                          const std::string& no_proxy);

}  // namespace archway::resolver
