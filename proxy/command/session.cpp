#include "proxy/command/session.hpp"

#include "metrics/log_line.hpp"
#include "proxy/config/defaults.hpp"
#include "proxy/config/known_upstreams.hpp"
#include "proxy/http/tls.hpp"
#include "proxy/upstream/exchange.hpp"
#include "proxy/upstream/registry_client.hpp"
#include "proxy/upstream/shared.hpp"
#include "resolver/network.hpp"
#include "resolver/redirect.hpp"

#include <CLI/App.hpp>
#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <csignal>
#include <exception>
#include <istream>
#include <map>
#include <mutex>
#include <ostream>
#include <string_view>

namespace archway::proxy {

namespace net = boost::asio;

namespace {

Error invalid(std::string message) {
  return {.code = Errc::configuration_invalid,
          .origin = Origin::configuration,
          .message = std::move(message)};
}

/// What --debug shows, on the error stream.
class DebugLog final : public metrics::Log {
 public:
  explicit DebugLog(std::ostream& stream) : stream_(stream) {}

  bool enabled(metrics::Level) const override { return true; }
  void write(metrics::Level level, std::string_view message,
             std::vector<metrics::Field> fields) override {
    const metrics::LogEvent event{std::chrono::system_clock::now(), level, message, fields};
    const auto line = metrics::text_line(event, false);
    const std::lock_guard lock(mutex_);
    stream_ << line << "\n" << std::flush;
  }
  void write_seldom(std::string_view, metrics::Level level, std::string_view message,
                    std::vector<metrics::Field> fields) override {
    write(level, message, std::move(fields));
  }
  std::uint64_t dropped() const override { return 0; }

 private:
  std::ostream& stream_;
  std::mutex mutex_;
};

/// Runs a coroutine to its end. Not context.run(): idle connections and their timers would hold it.
void run_to_end(net::io_context& context, net::awaitable<void> work) {
  bool done = false;
  std::exception_ptr escaped;
  net::co_spawn(context, std::move(work), [&](const std::exception_ptr& error) {
    done = true;
    escaped = error;
  });
  context.restart();
  while (!done) context.run_one();
  if (escaped) std::rethrow_exception(escaped);
}

net::awaitable<void> ask_for_status(std::shared_ptr<Exchange> exchange, Ask ask,
                                    Result<unsigned>* status) {
  const auto answer = co_await exchange->run(std::move(ask));
  if (answer) {
    *status = answer->head.status;
  } else {
    *status = answer.error();
  }
}

bool is_loopback(const std::string& host) {
  const auto address = resolver::Address::parse(host);
  if (address) return resolver::kind_of(*address) == resolver::AddressKind::loopback;
  return host == "localhost" || host.ends_with(".localhost");
}

/// What a registry answers to `GET /v2/`. Something else may answer http on a port for https.
bool is_registry(unsigned status) {
  return status == 200 || status == 401 || status == 403 || status == 429;
}

class RegistrySession final : public Session {
 public:
  RegistrySession(const RegistryOptions& options, const Surroundings& surroundings,
                  std::optional<Settings::Credentials> given)
      : options_(options),
        environment_(surroundings.environment),
        given_(std::move(given)),
        given_for_(options.username_for) {
    if (options.debug) log_ = std::make_unique<DebugLog>(surroundings.err);
  }

  Result<Registry*> registry(const std::string& host) override {
    const auto reached = reach(host);
    if (!reached) return reached.error();
    return static_cast<Registry*>((*reached)->registry.get());
  }

  Result<Pusher*> pusher(const std::string& host) override {
    const auto reached = reach(host);
    if (!reached) return reached.error();
    return (*reached)->pusher.get();
  }

 protected:
  void run_until(net::awaitable<void> work) override { run_to_end(context_, std::move(work)); }

 private:
  struct Reached {
    std::shared_ptr<SharedParts> shared;
    std::unique_ptr<RegistryClient> registry;
    std::unique_ptr<Pusher> pusher;
  };

  Result<std::shared_ptr<SharedParts>> parts_for(Settings::Upstream upstream) const;
  Result<unsigned> status_at(const Settings::Upstream& upstream) const;
  Result<Settings::Upstream> find_scheme(Settings::Upstream upstream) const;
  Result<std::optional<Settings::Credentials>> credentials_for(const std::string& host);
  Result<Reached*> reach(const std::string& host);

  RegistryOptions options_;
  Environment environment_;
  std::optional<Settings::Credentials> given_;
  std::string given_for_;
  std::unique_ptr<DebugLog> log_;
  net::io_context context_{1};  // behind the log, before those whose connections it serves
  std::map<std::string, Reached> reached_;
};

Result<std::shared_ptr<SharedParts>> RegistrySession::parts_for(Settings::Upstream upstream) const {
  Settings settings;
  upstream.ca_file = options_.ca_file;
  settings.upstreams.push_back(std::move(upstream));
  auto shared = SharedParts::make(settings, log_.get(), nullptr, Names::Options());
  if (!shared || !options_.insecure) return shared;
  auto trusting = TlsContext::client_unverified();
  if (!trusting) return trusting.error();
  const auto& ways = (*shared)->entries.front().ways;
  ways.home->set(*trusting);
  ways.elsewhere->set(*trusting);
  return shared;
}

/// Asks for the registry's API, without credentials and on a loop of its own: the other may be at
/// work.
Result<unsigned> RegistrySession::status_at(const Settings::Upstream& upstream) const {
  const auto shared = parts_for(upstream);
  if (!shared) return shared.error();
  net::io_context context{1};
  const auto exchange = (*shared)->exchange((*shared)->entries.front(), context.get_executor());
  Ask ask;
  ask.destination.url = upstream.url;
  ask.destination.url.target = "/v2/";
  Result<unsigned> status = 0U;
  run_to_end(context, ask_for_status(exchange, std::move(ask), &status));
  exchange->close();
  return status;
}

Result<Settings::Upstream> RegistrySession::find_scheme(Settings::Upstream upstream) const {
  if (!options_.insecure && !is_loopback(upstream.url.host)) return upstream;
  const auto secure = status_at(upstream);
  if (secure) return upstream;
  auto plain = resolver::Url::parse("http://" + upstream.name);
  if (!plain) return plain.error();
  Settings::Upstream other = upstream;
  other.url = *std::move(plain);
  const auto status = status_at(other);
  if (status && is_registry(*status)) return other;
  Error error = naming(secure.error(), upstream.name);
  if (status) {
    error.message +=
        "; by http the answer is status " + std::to_string(*status) + ", which no registry gives";
  }
  return error;
}

Result<std::optional<Settings::Credentials>> RegistrySession::credentials_for(
    const std::string& host) {
  if (given_ && given_for_.empty()) given_for_ = host;
  if (given_ && given_for_ == host) return given_;
  return docker_credentials(options_.docker_config, host, environment_);
}

Result<RegistrySession::Reached*> RegistrySession::reach(const std::string& host) {
  const auto known = reached_.find(host);
  if (known != reached_.end()) return &known->second;
  auto upstream = upstream_of_host(host);
  if (!upstream) return upstream.error();
  upstream->proxy = proxies_of(environment_);
  auto credentials = credentials_for(host);
  if (!credentials) return credentials.error();
  auto found = find_scheme(*std::move(upstream));
  if (!found) return found.error();
  if (*credentials) found->credentials.push_back(**std::move(credentials));
  auto& realms = found->token_realms;
  realms.insert(realms.end(), options_.token_realms.begin(), options_.token_realms.end());
  auto shared = parts_for(*std::move(found));
  if (!shared) return shared.error();
  const auto flow = (*shared)->flow((*shared)->entries.front(), context_.get_executor());
  Reached reached{.shared = *shared,
                  .registry = std::make_unique<RegistryClient>(flow, nullptr),
                  .pusher = std::make_unique<Pusher>(flow)};
  return &reached_.emplace(host, std::move(reached)).first->second;
}

Result<std::optional<Settings::Credentials>> given_credentials(const RegistryOptions& options,
                                                               std::istream* in) {
  if (options.username.empty() && !options.password_stdin) {
    return std::optional<Settings::Credentials>();
  }
  if (options.username.empty()) return invalid("--password-stdin needs --username NAME");
  if (!options.password_stdin) {
    return invalid("--username needs --password-stdin: the password is read from standard input");
  }
  std::string password;
  if (in != nullptr) std::getline(*in, password);
  if (password.ends_with('\r')) password.pop_back();
  if (password.empty()) return invalid("--password-stdin: there is no password on standard input");
  return std::optional(Settings::Credentials{options.username, std::move(password)});
}

}  // namespace

void add_registry_options(CLI::App& command, RegistryOptions& options) {
  command.add_option("--config", options.docker_config, "The folder of docker's config.json")
      ->type_name("FOLDER");
  command.add_option("--username", options.username, "Log in with this name")->type_name("NAME");
  command.add_flag("--password-stdin", options.password_stdin,
                   "Read the password from standard input");
  command.add_flag("--insecure", options.insecure,
                   "Take any certificate, and plain http where https does not answer");
  command.add_option("--ca-file", options.ca_file, "Verify certificates with these CAs alone")
      ->type_name("FILE");
  command
      .add_option("--token-realm", options.token_realms,
                  "Another host that gives out the registry's tokens and may see the credentials; "
                  "may be repeated")
      ->type_name("HOST")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command.add_flag("--debug", options.debug, "Report every request on the error stream");
}

Result<Settings::Upstream> upstream_of_host(const std::string& host) {
  Settings::Upstream upstream;
  upstream.name = host;
  const auto* const known = find_known_upstream(host);
  const bool elsewhere = known != nullptr && !known->url.empty();
  auto url = resolver::Url::parse(elsewhere ? std::string(known->url) : "https://" + host);
  const bool bare = url && url->target == "/" && !host.ends_with('/');
  if (!bare) {
    return invalid("\"" + host + "\" is not a registry's host; allowed: NAME or NAME:PORT");
  }
  upstream.url = *std::move(url);
  if (known != nullptr && !known->token_realm.empty()) {
    upstream.token_realms.emplace_back(known->token_realm);
  }
  return upstream;
}

Result<std::unique_ptr<Session>> Session::make(const RegistryOptions& options,
                                               const Surroundings& surroundings) {
  auto given = given_credentials(options, surroundings.in);
  if (!given) return given.error();
  const auto usable = TlsContext::client(options.ca_file);
  if (!usable) return usable.error();
  std::signal(SIGPIPE, SIG_IGN);
  return std::unique_ptr<Session>(
      std::make_unique<RegistrySession>(options, surroundings, *std::move(given)));
}

}  // namespace archway::proxy
