#pragma once

#include "cache/cache.hpp"
#include "metrics/log.hpp"
#include "metrics/metrics.hpp"
#include "proxy/config/settings.hpp"
#include "proxy/upstream/upstreams.hpp"
#include "resolver/model/result.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace archway::proxy {

/// The long-lived parts in the order they are built, and the loops that run them: one io_context a
/// thread, each with its own listeners and upstream pools; a connection lives and dies on its loop.
///
/// Threads: start, reload, drain and the destructor from one thread, not a loop's.
class Server {
 public:
  /// Binds every listener and begins to serve. Contacts no upstream.
  ///
  /// Errors: Errc::configuration_invalid (an address or a certificate cannot be used),
  /// Errc::storage_failed (the cache cannot be opened; `retryable` when another process holds it),
  /// Errc::overloaded (the system has no threads or descriptors for it).
  static Result<std::unique_ptr<Server>> start(Settings settings, metrics::Log* log);

  /// Ends at once what is still running.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Reads the certificate files again, those of upstreams and the authorities of clients'
  /// certificates, too; one that cannot be used leaves the old ones of its listener or upstream in
  /// place. Forgets what upstreams have just
  /// said there is not.
  void reload();

  /// Stops accepting, ends idle connections, waits until the others have ended or the configured
  /// time is over.
  void drain();
  /// Cuts a drain short (a second SIGTERM). Any thread.
  void hurry();

  /// True when every loop answers within about that time: none of them hangs. Any thread, until the
  /// destructor.
  bool answers(std::chrono::milliseconds within) const;

  /// Where it listens, with the ports that the kernel chose; the admin listener last, if any.
  std::vector<Settings::Endpoint> endpoints() const;

 private:
  struct Parts;
  explicit Server(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace archway::proxy
