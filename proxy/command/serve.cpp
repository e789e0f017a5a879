#include "proxy/command/serve.hpp"

#include "metrics/log.hpp"
#include "proxy/hide_memory.hpp"
#include "proxy/server.hpp"
#include "proxy/service_manager.hpp"

#include <algorithm>
#include <csignal>
#include <cstring>
#include <memory>
#include <pthread.h>
#include <sys/resource.h>
#include <thread>
#include <utility>

namespace archway::proxy {
namespace {

constexpr int exit_failed = 1;
constexpr int exit_unavailable = 69;      // EX_UNAVAILABLE of sysexits.h
constexpr int exit_system = 71;           // EX_OSERR
constexpr int exit_held_by_another = 75;  // EX_TEMPFAIL
constexpr int exit_configuration = 78;    // EX_CONFIG

/// The signals that steer the process are taken by sigwait on this thread alone; every thread made
/// later inherits the mask.
sigset_t steering_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR2}) sigaddset(&signals, signal);
  return signals;
}

/// A client costs a descriptor, so the process asks for as many as it may have.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

/// Clients never get the descriptors that files and upstreams need.
std::uint32_t clients_within_limit(std::uint32_t wanted) {
  constexpr rlim_t reserve = 1024;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return wanted;
  const rlim_t room = limit.rlim_cur > 2 * reserve ? limit.rlim_cur - reserve : limit.rlim_cur / 2;
  return static_cast<std::uint32_t>(std::min<rlim_t>(wanted, room));
}

int exit_code(const Error& error) {
  if (error.code == Errc::configuration_invalid) {
    return error.retryable ? exit_unavailable : exit_configuration;
  }
  if (error.code == Errc::overloaded) return exit_system;
  return error.code == Errc::storage_failed && error.retryable ? exit_held_by_another : exit_failed;
}

void log_start(metrics::Log& log, const Server& server, const Settings& settings) {
  for (const auto& endpoint : server.endpoints()) {
    log.info("listening", {{"address", endpoint.str()}});
  }
  std::string names;
  for (const auto& upstream : settings.upstreams) {
    names += (names.empty() ? "" : " ") + upstream.name;
  }
  log.info("started", {{"cache", settings.cache.directory.string()}, {"upstreams", names}});
}

/// Waits for signals until one of them ends the process.
void steer(Server& server, metrics::Log& log, const ServiceManager& manager,
           const sigset_t& signals) {
  int signal = 0;
  while (sigwait(&signals, &signal) == 0) {
    if (signal == SIGHUP) server.reload();
    if (signal != SIGHUP && signal != SIGUSR2) break;
  }
  manager.tell("STOPPING=1");
  log.info("stopping", {{"signal", std::string(strsignal(signal))}});
  // A second signal cuts the drain short; SIGUSR2 from here tells that it is over.
  std::thread impatient([&server, &signals] {
    int again = 0;
    while (sigwait(&signals, &again) == 0 && again != SIGUSR2) {
      if (again != SIGHUP) server.hurry();
    }
  });
  server.drain();
  pthread_kill(impatient.native_handle(), SIGUSR2);
  impatient.join();
}

}  // namespace

int serve(Settings settings, const std::vector<std::string>& notes) {
  const auto signals = steering_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);  // sendfile has no MSG_NOSIGNAL.
  std::signal(SIGXFSZ, SIG_IGN);  // A file size limit is a full disk, not an end.
  std::signal(SIGUSR1, SIG_IGN);  // Other servers read their log files again: nothing of ours ends.
  hide_memory();
  raise_descriptor_limit();
  settings.connections_max = clients_within_limit(settings.connections_max);
  const auto log = metrics::Log::make({.level = settings.log_level, .format = settings.log_format});
  for (const auto& note : notes) log->warn("configuration", {{"note", note}});
  const ServiceManager manager(Environment::of_process());
  auto server = Server::start(settings, log.get());
  if (!server) {
    log->error("cannot start",
               {{"why", server.error().message}, {"context", server.error().context}});
    return exit_code(server.error());
  }
  log_start(*log, **server, settings);
  manager.tell("READY=1");
  {
    const Watchdog watchdog(&manager, [&server](std::chrono::milliseconds within) {
      return (*server)->answers(within);
    });
    steer(**server, *log, manager, signals);
  }
  server->reset();
  log->info("stopped");
  return 0;
}

}  // namespace archway::proxy
