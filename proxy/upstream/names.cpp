#include "proxy/upstream/names.hpp"

#include "proxy/wakeup.hpp"

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <exception>
#include <mutex>
#include <netdb.h>
#include <netinet/in.h>
#include <optional>
#include <sys/socket.h>
#include <system_error>
#include <thread>
#include <unordered_map>
#include <utility>

namespace archway::proxy {

namespace net = boost::asio;

namespace {

Error unresolved(const std::string& host, const std::string& why) {
  return {.code = Errc::upstream_unreachable,
          .origin = Origin::upstream,
          .message = "the name " + host + " cannot be resolved to an address",
          .context = host + ": " + why,
          .retryable = true};
}

Error too_many(const std::string& host) {
  return {.code = Errc::overloaded,
          .origin = Origin::upstream,
          .message = "archway is resolving too many names at once; try again",
          .context = host + ": the queue of look-ups is full",
          .retryable = true};
}

std::optional<resolver::Address> address_of(const sockaddr* from) {
  resolver::Address address;
  if (from->sa_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, from, sizeof v6);
    std::memcpy(address.bytes.data(), v6.sin6_addr.s6_addr, address.bytes.size());
    return address;
  }
  if (from->sa_family != AF_INET) return std::nullopt;
  sockaddr_in v4{};
  std::memcpy(&v4, from, sizeof v4);
  address.bytes[10] = address.bytes[11] = 0xff;
  std::memcpy(address.bytes.data() + 12, &v4.sin_addr, 4);
  return address;
}

Result<Names::Addresses> system_lookup(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int failed = ::getaddrinfo(host.c_str(), nullptr, &hints, &found);
  if (failed != 0) {
    return unresolved(host, failed == EAI_SYSTEM ? std::strerror(errno) : ::gai_strerror(failed));
  }
  Names::Addresses
      addresses;  // getaddrinfo's order is RFC 6724's: what can be reached comes first.
  for (const auto* one = found; one != nullptr; one = one->ai_next) {
    const auto address = address_of(one->ai_addr);
    if (address && std::find(addresses.begin(), addresses.end(), *address) == addresses.end()) {
      addresses.push_back(*address);
    }
  }
  ::freeaddrinfo(found);
  return addresses;
}

}  // namespace

struct Names::State {
  struct Entry {
    Addresses addresses = {};  // the last good ones
    Clock::time_point found_at = {};
    std::optional<Clock::time_point> failed_at = {};  // since found_at
    std::string why = {};
    bool pending = false;  // queued or being looked up
    std::vector<std::shared_ptr<Wakeup>> waiters = {};
  };

  explicit State(Options given) : options(std::move(given)) {}

  Options options;
  std::mutex mutex;
  std::condition_variable work;
  std::deque<std::string> queue;
  std::unordered_map<std::string, Entry> entries;
  unsigned threads = 0;
  unsigned idle = 0;
  bool stopping = false;

  // All of these: under the lock.
  bool fresh(const Entry& entry) const {
    return !entry.addresses.empty() && options.now() - entry.found_at < options.fresh_for;
  }
  bool usable(const Entry& entry) const {
    return !entry.addresses.empty() && options.now() - entry.found_at < options.stale_for;
  }
  bool recently_failed(const Entry& entry) const {
    return entry.failed_at && options.now() - *entry.failed_at < options.retry_after;
  }
  void forget_some() {
    if (entries.size() < cached_max) return;
    std::erase_if(entries, [&](const auto& one) {
      return !one.second.pending && one.second.waiters.empty() && !fresh(one.second);
    });
    if (entries.size() < cached_max) return;
    std::erase_if(
        entries, [](const auto& one) { return !one.second.pending && one.second.waiters.empty(); });
  }
};

// A waiter's place in the entry, given up when its frame ends: at a deadline, a cancellation, or
// with the whole io_context.
class Names::Waiter {
 public:
  Waiter(std::shared_ptr<State> state, std::string host, std::shared_ptr<Wakeup> wakeup)
      : state_(std::move(state)), host_(std::move(host)), wakeup_(std::move(wakeup)) {}
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;
  ~Waiter() {
    const std::lock_guard lock(state_->mutex);
    const auto entry = state_->entries.find(host_);
    if (entry != state_->entries.end()) std::erase(entry->second.waiters, wakeup_);
  }

 private:
  std::shared_ptr<State> state_;
  std::string host_;
  std::shared_ptr<Wakeup> wakeup_;
};

Names::Names(Options options) : state_(std::make_shared<State>(std::move(options))) {
  if (!state_->options.lookup) state_->options.lookup = &system_lookup;
  if (!state_->options.now) state_->options.now = &Clock::now;
}

Names::~Names() {
  const std::lock_guard lock(state_->mutex);
  state_->stopping = true;
  state_->work.notify_all();
}

void Names::serve(std::shared_ptr<State> state) {
  std::unique_lock lock(state->mutex);
  for (;;) {
    ++state->idle;
    state->work.wait(lock, [&] { return state->stopping || !state->queue.empty(); });
    --state->idle;
    if (state->stopping) return;
    const std::string host = std::move(state->queue.front());
    state->queue.pop_front();
    lock.unlock();
    Result<Addresses> found = Addresses{};
    try {
      found = state->options.lookup(host);
    } catch (const std::exception& error) {
      found = unresolved(host, error.what());
    }
    lock.lock();
    auto& entry = state->entries[host];
    entry.pending = false;
    if (found && !found->empty()) {
      entry.addresses = *std::move(found);
      entry.found_at = state->options.now();
      entry.failed_at.reset();
    } else {
      entry.failed_at = state->options.now();
      entry.why = found ? host + ": the name has no addresses" : found.error().context;
    }
    for (const auto& waiter : entry.waiters) waiter->fire();
    entry.waiters.clear();
  }
}

net::awaitable<Result<Names::Addresses>> Names::find(std::string host,
                                                     std::chrono::milliseconds time) {
  const auto literal = resolver::Address::parse(host);
  if (literal) co_return Addresses{*literal};

  const auto state = state_;
  const auto executor = co_await net::this_coro::executor;
  const auto wakeup = Wakeup::make(executor);
  {
    const std::lock_guard lock(state->mutex);
    state->forget_some();
    auto& entry = state->entries[host];
    if (state->fresh(entry)) co_return entry.addresses;
    if (state->usable(entry) && state->recently_failed(entry)) co_return entry.addresses;
    if (!entry.pending) {
      if (state->queue.size() >= queue_max) {
        if (state->usable(entry)) co_return entry.addresses;
        co_return too_many(host);
      }
      if (state->idle <= state->queue.size() && state->threads < state->options.threads) {
        try {
          std::thread(&Names::serve, state).detach();
          ++state->threads;
        } catch (const std::system_error&) {  // The threads there are will have to do.
          if (state->threads == 0) co_return too_many(host);
        }
      }
      state->queue.push_back(host);
      entry.pending = true;
      state->work.notify_one();
    }
    entry.waiters.push_back(wakeup);
  }
  const Waiter waiter(state, host, wakeup);
  const bool answered = co_await wakeup->wait(time);

  const std::lock_guard lock(state->mutex);
  auto& entry = state->entries[host];
  if (state->fresh(entry)) co_return entry.addresses;
  if (!answered) {
    entry.failed_at = state->options.now();
    entry.why = host + ": no answer in time";
  }
  if (state->usable(entry)) co_return entry.addresses;
  Error error = unresolved(host, "");
  error.context = entry.why;
  co_return error;
}

}  // namespace archway::proxy
