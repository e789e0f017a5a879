#include "proxy/server.hpp"

#include "proxy/access/door.hpp"
#include "proxy/admin/admin.hpp"
#include "proxy/cache_options.hpp"
#include "proxy/loop.hpp"
#include "proxy/pull/prefetch.hpp"
#include "proxy/pull/seen.hpp"
#include "proxy/thread_probe.hpp"
#include "proxy/version.hpp"

#include <algorithm>
#include <atomic>
#include <boost/asio/post.hpp>
#include <condition_variable>
#include <exception>
#include <functional>
#include <future>
#include <mutex>
#include <thread>
#include <utility>

namespace archway::proxy {

namespace net = boost::asio;

namespace {

constexpr std::size_t disk_threads = 4;
constexpr std::size_t publish_threads = 2;
// The cache's and the look-ups of names: about so many more.
constexpr std::size_t further_threads = 12;
// A loop that does not answer sits in a disk read: it is not waited for.
constexpr std::chrono::seconds loop_answers_within{1};
constexpr std::chrono::milliseconds drain_look{20};

ConnectionBounds bounds_of(const Settings& settings) {
  return {.idle = settings.timeouts.idle,
          .request = settings.timeouts.request,
          .stall = settings.timeouts.client_stall};
}

unsigned thread_count(const Settings& settings) {
  return settings.threads > 0 ? settings.threads
                              : std::max(1U, std::thread::hardware_concurrency());
}

Result<std::shared_ptr<const TlsContext>> context_of(const Settings::Tls& tls) {
  return TlsContext::server(tls.certificate, tls.key,
                            {.ca_file = tls.client_ca, .required = tls.client_required});
}

Error not_given(std::string why) {
  return {.code = Errc::overloaded,
          .origin = Origin::configuration,
          .message = "the system does not give archway what it needs to start: " + std::move(why),
          .retryable = true};
}

/// Work for as long as the server runs. What earlier runs remembered is read first, which takes as
/// long as there is much of it: not at the start's expense.
net::awaitable<void> fetch_ahead(Prefetch* prefetch, Seen* seen, PullParts* parts) {
  if (parts->shared->settings->prefetch.seen) {
    const std::function<bool()> load = [seen] {
      seen->load();
      return true;
    };
    co_await parts->shared->disk->run<bool>(load);
  }
  co_await prefetch->watch(parts);
}

}  // namespace

/// In the order of construction: what comes later uses what comes before, and goes first.
struct Server::Parts {
  Settings settings;
  metrics::Log* log = nullptr;
  std::unique_ptr<metrics::Metrics> metrics;
  std::unique_ptr<cache::Cache> cache;
  std::shared_ptr<UpstreamShared> upstreams;
  std::unique_ptr<DiskPool> disk;
  std::unique_ptr<DiskPool> publish;
  std::unique_ptr<PullShared> shared;
  std::unique_ptr<Seen> seen;  // with prefetch, where anything is fetched ahead
  std::unique_ptr<Prefetch> prefetch;
  std::atomic<bool> draining = false;
  ConnectionCount clients = 0;
  ConnectionCount operators = 0;
  std::unique_ptr<Admin> admin;
  std::vector<std::unique_ptr<Door>> doors;
  std::vector<std::unique_ptr<Guarded>> guards;  // behind them, one for each loop
  std::vector<std::shared_ptr<TlsHolder>>
      certificates;                           // one for each listener, nullptr: plaintext
  std::vector<Settings::Listener> listeners;  // as configured, with the ports they have
  std::vector<Settings::Endpoint> endpoints;
  std::vector<std::unique_ptr<Loop>> loops;
  std::vector<std::thread> threads;
  std::mutex mutex;
  std::condition_variable hurried;
  bool hurry = false;

  Result<void> build();
  Result<void> bind(const Settings::Listener& listener);
  Result<Door*> open_door(const Settings::Listener& listener);
  Handler* behind(Door* door, Handler* inside);
  Result<void> bind_admin(const Settings::Endpoint& endpoint);
  ListenerParts listener_parts(Loop& loop, Handler* handler, ConnectionCount* count,
                               std::uint32_t count_max);
  void on_every_loop(void (Loop::*what)());
};

ListenerParts Server::Parts::listener_parts(Loop& loop, Handler* handler, ConnectionCount* count,
                                            std::uint32_t count_max) {
  return {.platform = {},
          .tls = nullptr,
          .handler = handler,
          .connections = loop.connections(),
          .bounds = bounds_of(settings),
          .count = count,
          .count_max = count_max,
          .log = log,
          .metrics = metrics.get()};
}

/// nullptr where there is none.
Result<Door*> Server::Parts::open_door(const Settings::Listener& listener) {
  if (!listener.access) return static_cast<Door*>(nullptr);
  auto door = Door::open(*listener.access, log);
  if (!door) return door.error();
  doors.push_back(*std::move(door));
  return doors.back().get();
}

Handler* Server::Parts::behind(Door* door, Handler* inside) {
  if (door == nullptr) return inside;
  guards.push_back(std::make_unique<Guarded>(door, inside, log, metrics.get()));
  return guards.back().get();
}

Result<void> Server::Parts::bind(const Settings::Listener& listener) {
  std::shared_ptr<TlsHolder> holder;
  if (listener.tls) {
    auto context = context_of(*listener.tls);
    if (!context) return context.error();
    holder = std::make_shared<TlsHolder>(*std::move(context));
  }
  const auto door = open_door(listener);
  if (!door) return door.error();
  certificates.push_back(holder);
  auto endpoint = listener.endpoint;
  const auto free = check_free(endpoint);
  if (!free) return free.error();
  for (const auto& loop : loops) {
    auto socket = bind_listener(endpoint);
    if (!socket) return socket.error();
    endpoint = socket->endpoint;  // The port that the kernel chose is the next loop's too.
    auto parts =
        listener_parts(*loop, behind(*door, loop->pipeline()), &clients, settings.connections_max);
    parts.platform = listener.platform;
    parts.tls = holder;
    loop->add(*socket, std::move(parts));
  }
  endpoints.push_back(endpoint);
  listeners.push_back(listener);
  listeners.back().endpoint = endpoint;
  return {};
}

Result<void> Server::Parts::bind_admin(const Settings::Endpoint& endpoint) {
  constexpr std::uint32_t operators_max = 256;
  const auto free = check_free(endpoint);
  if (!free) return free.error();
  auto socket = bind_listener(endpoint);
  if (!socket) return socket.error();
  endpoints.push_back(socket->endpoint);
  auto& loop = *loops.front();
  admin = std::make_unique<Admin>(AdminParts{.pull = *loop.parts(),
                                             .draining = &draining,
                                             .listeners = &listeners,
                                             .threads = thread_count(settings)});
  loop.add(*socket, listener_parts(loop, admin.get(), &operators, operators_max));
  return {};
}

Result<void> Server::Parts::build() {
  const auto enough =
      check_threads(thread_count(settings) + disk_threads + publish_threads + further_threads);
  if (!enough) return enough.error();
  metrics = metrics::Metrics::make(version);
  for (const auto& upstream : settings.upstreams) metrics->upstream_known(upstream.name);
  auto store = cache::Cache::open(cache_options(settings), log);
  if (!store) return store.error();
  cache = *std::move(store);
  auto clients_of_upstreams = UpstreamShared::make(settings, log, metrics.get());
  if (!clients_of_upstreams) return clients_of_upstreams.error();
  upstreams = *std::move(clients_of_upstreams);
  disk = std::make_unique<DiskPool>(disk_threads);
  publish = std::make_unique<DiskPool>(publish_threads);
  shared = std::make_unique<PullShared>(&settings, cache.get(), log, metrics.get(), disk.get(),
                                        publish.get());
  if ((settings.prefetch.seen || settings.prefetch.layers) && !settings.offline) {
    seen = std::make_unique<Seen>(&cache->index());
    prefetch = std::make_unique<Prefetch>(settings, seen.get(), log);
    shared->prefetch = prefetch.get();
  }
  for (unsigned i = 0; i < thread_count(settings); ++i) {
    loops.push_back(std::make_unique<Loop>(shared.get(), upstreams));
  }
  for (const auto& listener : settings.listen) {
    const auto bound = bind(listener);
    if (!bound) return bound.error();
  }
  if (settings.admin) {
    const auto bound = bind_admin(*settings.admin);
    if (!bound) return bound.error();
  }
  if (prefetch) {
    auto& loop = *loops.front();
    loop.spawn("prefetch", fetch_ahead(prefetch.get(), seen.get(), loop.parts()), log);
  }
  for (const auto& loop : loops) {
    threads.emplace_back([running = loop.get(), out = log] { running->run(out); });
  }
  return {};
}

void Server::Parts::on_every_loop(void (Loop::*what)()) {
  for (const auto& loop : loops) {
    const auto done = std::make_shared<std::promise<void>>();
    net::post(loop->context(), [one = loop.get(), what, done] {
      (one->*what)();
      done->set_value();
    });
    done->get_future().wait_for(loop_answers_within);
  }
}

Server::Server(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Result<std::unique_ptr<Server>> Server::start(Settings settings, metrics::Log* log) {
  std::unique_ptr<Server> server(new Server(std::make_unique<Parts>()));
  server->parts_->settings = std::move(settings);
  server->parts_->log = log;
  try {
    const auto built = server->parts_->build();
    if (!built) return built.error();
  } catch (const std::exception& error) {  // No descriptors for a loop, or no memory.
    return not_given(error.what());
  }
  return server;
}

Server::~Server() {
  auto& parts = *parts_;
  for (const auto& loop : parts.loops) loop->stop();
  for (auto& thread : parts.threads) thread.join();
  // Disk work that was begun ends before the loops that wait for it go.
  if (parts.disk) parts.disk->stop();
  if (parts.publish) parts.publish->stop();
  parts.loops.clear();
}

void Server::reload() {
  auto& parts = *parts_;
  parts.shared->absent.clear();
  parts.upstreams->reload();
  for (std::size_t i = 0; i < parts.settings.listen.size(); ++i) {
    const auto& tls = parts.settings.listen[i].tls;
    if (!tls) continue;
    auto context = context_of(*tls);
    if (context) {
      parts.certificates[i]->set(*std::move(context));
      parts.log->info("certificate read again", {{"file", tls->certificate.string()}});
    } else {
      parts.log->error("the new certificate cannot be used; the old one stays",
                       {{"why", context.error().message}});
    }
  }
}

void Server::drain() {
  auto& parts = *parts_;
  parts.draining = true;
  parts.on_every_loop(&Loop::stop_accepting);
  parts.on_every_loop(&Loop::drain);
  const auto end = std::chrono::steady_clock::now() + parts.settings.drain;
  std::unique_lock lock(parts.mutex);
  while (parts.clients > 0 && !parts.hurry && std::chrono::steady_clock::now() < end) {
    parts.hurried.wait_for(lock, drain_look);
  }
}

void Server::hurry() {
  const std::lock_guard lock(parts_->mutex);
  parts_->hurry = true;
  parts_->hurried.notify_all();
}

bool Server::answers(std::chrono::milliseconds within) const {
  std::vector<net::io_context*> loops;
  for (const auto& loop : parts_->loops) loops.push_back(&loop->context());
  return all_answer(loops, within);
}

std::vector<Settings::Endpoint> Server::endpoints() const {
  return parts_->endpoints;
}

}  // namespace archway::proxy
