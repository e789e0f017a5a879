#include "proxy/upstream/ways.hpp"

#include <algorithm>
#include <utility>

namespace archway::proxy {

Result<std::shared_ptr<const TlsContext>> TlsContexts::with(ClientTls options) {
  if (options.ca_file.empty()) options.and_system = false;  // It is all there is already.
  auto& context = made_[{options.ca_file, options.and_system, options.certificate, options.key}];
  if (context) return context;
  auto made = TlsContext::client_with(options);
  if (made) context = *made;
  return made;
}

namespace {

struct Contexts {
  std::shared_ptr<const TlsContext> home;
  std::shared_ptr<const TlsContext> elsewhere;
};

Result<Contexts> read_files(const Settings::Upstream& upstream, TlsContexts& contexts) {
  ClientTls own{.ca_file = upstream.ca_file};
  if (upstream.client_certificate) {
    own.certificate = upstream.client_certificate->certificate;
    own.key = upstream.client_certificate->key;
  }
  auto home = contexts.with(own);
  if (!home) return home.error();
  auto elsewhere = contexts.with({.ca_file = upstream.ca_file, .and_system = true});
  if (!elsewhere) return elsewhere.error();
  return Contexts{.home = *std::move(home), .elsewhere = *std::move(elsewhere)};
}

}  // namespace

Result<Ways> Ways::of(const Settings::Upstream& upstream, TlsContexts& contexts) {
  auto read = read_files(upstream, contexts);
  if (!read) return read.error();
  Ways ways{.home = std::make_shared<TlsHolder>(std::move(read->home)),
            .elsewhere = std::make_shared<TlsHolder>(std::move(read->elsewhere)),
            .home_origins = {upstream.url.origin()},
            .home_host = upstream.url.host,
            .server_name = upstream.server_name,
            .proxies = upstream.proxy};
  for (const auto& realm : upstream.token_realms) {
    const auto url = resolver::Url::parse("https://" + realm);
    if (url) ways.home_origins.push_back(url->origin());
  }
  return ways;
}

Result<void> Ways::read_again(const Settings::Upstream& upstream, TlsContexts& contexts) const {
  auto read = read_files(upstream, contexts);
  if (!read) return read.error();
  home->set(std::move(read->home));
  elsewhere->set(std::move(read->elsewhere));
  return {};
}

std::shared_ptr<const TlsContext> Ways::tls_for(const resolver::Url& url) const {
  const bool at_home =
      std::find(home_origins.begin(), home_origins.end(), url.origin()) != home_origins.end();
  return (at_home ? home : elsewhere)->get();
}

const std::string& Ways::name_for(const resolver::Url& url) const {
  const bool renamed =
      !server_name.empty() && !home_origins.empty() && home_origins.front() == url.origin();
  return renamed ? server_name : url.host;
}

}  // namespace archway::proxy
