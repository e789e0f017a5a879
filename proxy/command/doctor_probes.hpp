#pragma once

#include "proxy/command/explain_query.hpp"
#include "proxy/config/settings.hpp"

#include <string>
#include <vector>

namespace archway::proxy {

/// A kind of client, and what it would ask.
struct Probe {
  std::string client;  ///< for people: "linux/arm64 by header (containerd)"
  ExplainQuery query;
  bool stated = true;  ///< somebody says which platform it is
};

/// For the usual platforms and every one that the configuration names: a client that states it by
/// header, and one by path; then each client that the configuration knows (listeners, host names,
/// certificates, address rules); then those that nobody knows anything about.
std::vector<Probe> probes_for(const Settings& settings, const std::string& image);

}  // namespace archway::proxy
