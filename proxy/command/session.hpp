#pragma once

#include "metrics/log.hpp"
#include "metrics/metrics.hpp"
#include "proxy/command/command_line.hpp"
#include "proxy/upstream/pusher.hpp"
#include "proxy/upstream/registry.hpp"
#include "resolver/image_reference.hpp"

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace CLI {
class App;
}

namespace archway::proxy {

/// How a command reaches a registry.
struct RegistryOptions {
  std::string docker_config = {};  ///< --config: the folder of docker's config.json; "" :
                                   ///< $DOCKER_CONFIG, else ~/.docker
  std::string username = {};
  /// The registry that `username` is for, and no other; "" : the first that is asked for. To be set
  /// by a command that talks to several.
  std::string username_for = {};
  bool password_stdin = false;
  bool insecure =
      false;  ///< http when https does not answer, and certificates that nobody vouches for
  std::string ca_file = {};
  std::vector<std::string> token_realms = {};  ///< further hosts that may see the credentials
  bool debug = false;  ///< each request on the error stream, without secrets
};
void add_registry_options(CLI::App& command, RegistryOptions& options);

/// Registries for a command: one io_context that runs while the command waits, clients made on
/// demand by host, credentials from --username, else docker's config.json (auths, credHelpers,
/// credsStore), else none. `docker.io` is reached as registry-1.docker.io.
///
/// Hosts on loopback are spoken to by plain http (as docker does) when https does not answer there.
///
/// While it is there SIGPIPE is ignored, which OpenSSL would raise. Threads: one.
class Session {
 public:
  /// Errors: Errc::configuration_invalid (no password on standard input, --username without
  /// --password-stdin or the other way round, a CA file that cannot be used).
  static Result<std::unique_ptr<Session>> make(const RegistryOptions& options,
                                               const Surroundings& surroundings);
  virtual ~Session() = default;

  /// A client for this registry, the same one each time. The first time it may take a while: a
  /// credential helper is run, and whether https or http is spoken there is found out where that is
  /// in doubt. So not from within run().
  ///
  /// Errors: Errc::configuration_invalid (its name, its credentials, a helper that fails);
  /// Errc::upstream_unreachable.
  virtual Result<Registry*> registry(const std::string& host) = 0;
  virtual Result<Pusher*> pusher(const std::string& host) = 0;

  /// Runs the coroutine until it ends.
  template <class T>
  Result<T> run(boost::asio::awaitable<Result<T>> work) {
    std::optional<Result<T>> result;
    run_until([](boost::asio::awaitable<Result<T>> doing,
                 std::optional<Result<T>>* out) -> boost::asio::awaitable<void> {
      auto got = co_await std::move(doing);
      out->emplace(std::move(got));
    }(std::move(work), &result));
    return *std::move(result);
  }

 protected:
  virtual void run_until(boost::asio::awaitable<void> work) = 0;
};

/// Where a registry is that a command line names: `https://HOST`, or where a known one really is.
/// Without credentials. Errors: Errc::configuration_invalid.
Result<Settings::Upstream> upstream_of_host(const std::string& host);

/// Username and password for a registry as docker's configuration has them; none when it has none.
/// `config_folder` as in RegistryOptions. Runs `docker-credential-NAME get` where that is
/// configured. The user name identity_token_user stands for an identity token in place of a
/// password.
///
/// Errors: Errc::configuration_invalid.
///
/// Source: docs.docker.com, "docker login", sections on credential stores and helpers.
Result<std::optional<Settings::Credentials>> docker_credentials(const std::string& config_folder,
                                                                const std::string& host,
                                                                const Environment& environment);

}  // namespace archway::proxy
