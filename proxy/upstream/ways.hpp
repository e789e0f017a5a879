#pragma once

#include "proxy/config/settings.hpp"
#include "proxy/http/tls.hpp"
#include "resolver/proxy_rules.hpp"
#include "resolver/url.hpp"

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

namespace archway::proxy {

/// Client contexts by what they are made of: those that are alike are one, because each holds the
/// system's CAs. For the time of a start. Threads: one.
class TlsContexts {
 public:
  /// Errors: Errc::configuration_invalid.
  Result<std::shared_ptr<const TlsContext>> with(ClientTls options);

 private:
  using Files =
      std::tuple<std::filesystem::path, bool, std::filesystem::path, std::filesystem::path>;
  std::map<Files, std::shared_ptr<const TlsContext>> made_;
};

/// How what belongs to one upstream is reached: the upstream itself and its token realms, which are
/// at home here, and the places that it leads to. Immutable but for what the certificates are read
/// into, which copies share. Threads: any.
struct Ways {
  std::shared_ptr<TlsHolder> home;             ///< with its `ca_file` and client certificate
  std::shared_ptr<TlsHolder> elsewhere;        ///< with the system's CAs and those of `ca_file`
  std::vector<std::string> home_origins = {};  ///< the first is the upstream itself
  std::string home_host = {};
  std::string server_name = {};  ///< in the upstream's certificate; "" : its URL's host
  resolver::ProxyRules proxies = {};

  /// Reads its CA and certificate files. Errors: Errc::configuration_invalid.
  static Result<Ways> of(const Settings::Upstream& upstream, TlsContexts& contexts);

  /// The files of the same upstream once more, for connections that are made from now on; what is
  /// there stays unless all of them can be used. Errors: Errc::configuration_invalid.
  Result<void> read_again(const Settings::Upstream& upstream, TlsContexts& contexts) const;

  std::shared_ptr<const TlsContext> tls_for(const resolver::Url& url) const;
  /// The name that a certificate has to bear.
  const std::string& name_for(const resolver::Url& url) const;
};

}  // namespace archway::proxy
