#include "proxy/config/print_transport.hpp"

#include "proxy/config/print.hpp"

#include <string>
#include <vector>

namespace archway::proxy {

void print_urls(const Settings::Upstream& upstream, YamlWriter& writer) {
  if (upstream.further_urls.empty()) {
    writer.value("url", yaml_scalar(upstream.url.origin()));
    return;
  }
  std::vector<std::string> urls = {upstream.url.origin()};
  for (const resolver::Url& url : upstream.further_urls) urls.push_back(url.origin());
  writer.value("urls", yaml_list(urls));
}

void print_transport(const Settings::Upstream& upstream, YamlWriter& writer) {
  if (!upstream.ca_file.empty()) writer.value("ca_file", yaml_scalar(upstream.ca_file.string()));
  if (upstream.client_certificate) {
    writer.open_section("client_certificate");
    writer.value("certificate", yaml_scalar(upstream.client_certificate->certificate.string()));
    writer.value("key", yaml_scalar(upstream.client_certificate->key.string()));
    writer.close();
  }
  if (!upstream.server_name.empty()) {
    writer.value("server_name", yaml_scalar(upstream.server_name));
  }
  if (upstream.proxy_is_its_own) {
    const auto& proxy = upstream.proxy.https;
    const std::string secret =
        proxy && !proxy->user_info.empty() ? std::string(masked_secret) + "@" : std::string();
    writer.value("proxy", proxy ? yaml_scalar("http://" + secret + proxy->authority()) : "none");
  }
  if (!upstream.redirects.empty()) writer.value("redirects", yaml_list(upstream.redirects));
}

}  // namespace archway::proxy
