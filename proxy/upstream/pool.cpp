#include "proxy/upstream/pool.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/system/error_code.hpp>
#include <utility>

namespace archway::proxy {

namespace net = boost::asio;
using Clock = std::chrono::steady_clock;

struct Pool::State {
  struct Idle {
    std::unique_ptr<Connection> connection;
    Clock::time_point until;
  };

  State(net::any_io_executor executor, Limits given) : limits(given), timer(std::move(executor)) {}

  Limits limits;
  net::steady_timer timer;
  std::map<std::string, std::deque<Idle>> origins = {};  // oldest in front
  bool armed = false;
  bool closed = false;

  void drop_old(Clock::time_point now) {
    for (auto origin = origins.begin(); origin != origins.end();) {
      auto& idle = origin->second;
      while (!idle.empty() && idle.front().until <= now) {
        idle.front().connection->stream->close();
        idle.pop_front();
      }
      origin = idle.empty() ? origins.erase(origin) : std::next(origin);
    }
  }
};

Pool::Pool(net::any_io_executor executor, Limits limits)
    : state_(std::make_shared<State>(std::move(executor), limits)) {}

Pool::~Pool() {
  close();
}

void Pool::arm(const std::shared_ptr<State>& state) {
  if (state->armed || state->origins.empty()) return;
  state->armed = true;
  state->timer.expires_after(state->limits.idle_for);
  state->timer.async_wait([weak = std::weak_ptr(state)](const boost::system::error_code& error) {
    const auto alive = weak.lock();
    if (!alive) return;
    alive->armed = false;
    if (error) return;
    alive->drop_old(Clock::now());
    arm(alive);
  });
}

std::unique_ptr<Connection> Pool::take(const std::string& origin) {
  const auto found = state_->origins.find(origin);
  if (found == state_->origins.end()) return nullptr;
  auto& idle = found->second;
  std::unique_ptr<Connection> taken;
  const auto now = Clock::now();
  while (!idle.empty() && !taken) {
    auto last = std::move(idle.back());
    idle.pop_back();
    if (last.until > now && last.connection->stream->quiet()) {
      taken = std::move(last.connection);
      taken->reused = true;
    } else {
      last.connection->stream->close();
    }
  }
  if (idle.empty()) state_->origins.erase(found);
  return taken;
}

void Pool::give(const std::string& origin, std::unique_ptr<Connection> connection) {
  auto& state = *state_;
  const bool room =
      state.origins.contains(origin) || state.origins.size() < state.limits.origins_max;
  if (state.closed || !room || !connection->received.empty() || !connection->stream->quiet()) {
    connection->stream->close();
    return;
  }
  // Nothing is awaited on an idle connection; its last deadline must not end it.
  connection->stream->deadline_in(2 * state.limits.idle_for);
  auto& idle = state.origins[origin];
  if (idle.size() >= state.limits.idle_max) {
    idle.front().connection->stream->close();
    idle.pop_front();
  }
  idle.push_back({std::move(connection), Clock::now() + state.limits.idle_for});
  arm(state_);
}

std::size_t Pool::idle() const {
  std::size_t count = 0;
  for (const auto& [origin, idle] : state_->origins) count += idle.size();
  return count;
}

void Pool::close() {
  state_->closed = true;
  for (auto& [origin, idle] : state_->origins) {
    for (auto& one : idle) one.connection->stream->close();
  }
  state_->origins.clear();
  state_->timer.cancel();
}

}  // namespace archway::proxy
