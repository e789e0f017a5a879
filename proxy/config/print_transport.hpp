#pragma once

#include "proxy/config/settings.hpp"
#include "proxy/config/yaml_writer.hpp"

namespace archway::proxy {

/// `url`, or `urls` where there are several.
void print_urls(const Settings::Upstream& upstream, YamlWriter& writer);

/// How an upstream is reached; the proxy's password is masked.
void print_transport(const Settings::Upstream& upstream, YamlWriter& writer);

}  // namespace archway::proxy
