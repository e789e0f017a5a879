#pragma once

#include "proxy/config/environment.hpp"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

namespace archway::proxy {

/// Whoever started this process and wants to hear how it is: systemd, or anything that speaks its
/// protocol. Source: sd_notify(3), sd_watchdog_enabled(3).
///
/// Threads: any.
class ServiceManager {
 public:
  explicit ServiceManager(const Environment& environment);

  /// "READY=1", "STOPPING=1", "WATCHDOG=1". False when nobody wants to hear it, or nobody hears.
  bool tell(std::string_view state) const;
  /// How long this process may be silent before it is started anew; nothing: for ever.
  std::optional<std::chrono::microseconds> patience() const { return patience_; }

 private:
  std::string address_;  // Of sockaddr_un: a path, or behind a NUL an abstract name; "": nobody.
  std::optional<std::chrono::microseconds> patience_;
};

/// Says that the process is well, as often as its manager wants it, and only while it is.
class Watchdog {
 public:
  /// Whether everything that has to makes progress; returns within about the time it is given.
  using Answers = std::function<bool(std::chrono::milliseconds)>;

  /// Does nothing where the manager does not ask. `manager` outlives it.
  Watchdog(const ServiceManager* manager, Answers answers);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  /// One look: asks, and tells the manager if all is well. Whether it was told.
  bool look() const;

 private:
  void run();

  const ServiceManager* manager_;
  const Answers answers_;
  std::chrono::milliseconds pause_{0};
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ending_ = false;  // Guarded by mutex_.
  std::thread thread_;
};

}  // namespace archway::proxy
