#pragma once

#include "metrics/log.hpp"
#include "proxy/config/settings.hpp"
#include "proxy/server.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/scripted_upstream.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace archway::test {

/// A directory that goes away with this object.
class ScratchDirectory {
 public:
  ScratchDirectory();
  ~ScratchDirectory();
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// The whole server in this process: ports by the kernel, a cache of its own, upstreams scripted by
/// the test. `docker.io` is the default upstream; tests change `settings` before start().
class Gateway {
 public:
  explicit Gateway(const ScriptedUpstream& upstream);
  /// On another gateway's cache, as after a restart.
  Gateway(const ScriptedUpstream& upstream, std::shared_ptr<ScratchDirectory> cache);

  proxy::Settings settings;

  void start();
  /// As SIGTERM does.
  void stop();

  std::uint16_t port(std::size_t listener = 0) const;
  Answer get(std::string_view target, const Headers& headers = {}) const;
  Answer head(std::string_view target, const Headers& headers = {}) const;

  /// A sample's value on /metrics, by its name and labels as written there; 0 when absent.
  double metric(const std::string& series) const;
  /// Polls until the sample has that value; false after ten seconds.
  bool wait_metric(const std::string& series, double value) const;
  /// What was logged so far.
  std::string log_text() const;
  /// Polls until that was logged; false after ten seconds. A request's own line comes when its
  /// answer has left.
  bool wait_log(const std::string& text) const;

  const std::shared_ptr<ScratchDirectory>& cache() const { return cache_; }
  proxy::Server& server() { return *server_; }
  /// Files under blobs/.
  std::size_t blobs_on_disk() const;

 private:
  std::shared_ptr<ScratchDirectory> cache_;
  ScratchDirectory logs_;
  int log_fd_ = -1;
  std::unique_ptr<metrics::Log> log_;
  std::unique_ptr<proxy::Server> server_;
};

}  // namespace archway::test
