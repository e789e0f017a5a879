#pragma once

#include "proxy/config/settings.hpp"
#include "proxy/pull/parts.hpp"

#include <atomic>
#include <chrono>
#include <vector>

namespace archway::proxy {

class Chore;
class Holdings;

/// What the operator's port uses. Built by the server; outlives every request.
struct AdminParts {
  PullParts pull;  ///< of the loop that the port is on
  const std::atomic<bool>* draining;
  /// As configured, with the ports that the kernel chose; complete before the loops run.
  const std::vector<Settings::Listener>* listeners;
  unsigned threads;
  std::chrono::steady_clock::time_point started = std::chrono::steady_clock::now();

  Holdings* holdings = nullptr;  ///< of the port itself, as is the next
  Chore* chore = nullptr;

  const Settings& settings() const { return *pull.shared->settings; }
  const resolver::UpstreamNames& names() const { return pull.shared->names; }
};

}  // namespace archway::proxy
