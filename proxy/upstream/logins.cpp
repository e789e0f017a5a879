#include "proxy/upstream/logins.hpp"

#include "proxy/disk_pool.hpp"
#include "proxy/single_flight.hpp"
#include "proxy/upstream/login_source.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <numeric>
#include <optional>
#include <utility>

namespace archway::proxy {

namespace net = boost::asio;

namespace {

using SharedLogin = std::shared_ptr<const Login>;
constexpr std::size_t pool_threads = 2;

bool is_written(const Settings::Credentials& source) {
  return source.password_file.empty() && source.docker_config.empty() && source.helper.empty();
}

/// Is a program run for it, perhaps?
bool may_ask(const Settings::Credentials& source) {
  return source.password_file.empty();
}

std::string name_of(const Settings::Credentials& source) {
  if (!source.helper.empty()) return "the credential helper docker-credential-" + source.helper;
  if (!source.docker_config.empty()) return "docker's configuration";
  return "the file with the password";
}

/// The words of a program and the place of a file are for the operator, not for every client.
Error not_known(const std::string& upstream, const Settings::Credentials& source,
                const Error& why) {
  return {.code = Errc::upstream_failed,
          .origin = Origin::configuration,
          .message = "archway does not get its credentials for " + upstream + ": " +
                     name_of(source) + " failed; archway's log says how",
          .context = why.message,
          .retryable = true};
}

}  // namespace

/// One look: everything it needs, its own for as long as it lasts.
struct Logins::Work {
  std::shared_ptr<const Settings::Upstream> upstream;
  std::size_t which = 0;
  std::optional<FileStamp> seen = {};

  const Settings::Credentials& source() const { return upstream->credentials[which]; }
};

struct Logins::State {
  struct Source {
    SharedLogin login = {};
    std::optional<Error> error = {};  ///< when there is no login
    std::optional<FileStamp> stamp = {};
    Clock::time_point read_last = {};  ///< or asked, or tried to
    Clock::time_point look_at = {};    ///< when to look again
    Clock::time_point read_at = {};    ///< when not even a file that has not changed is believed
    Clock::time_point rests_until = {};
  };

  metrics::Log* log = nullptr;
  Environment environment = {};
  std::function<Clock::time_point()> now = {};
  SingleFlight<SharedLogin> flights;
  std::mutex mutex = {};
  std::map<std::pair<std::string, std::size_t>, Source> sources = {};  // guarded by mutex
  std::once_flag pool_made = {};
  std::unique_ptr<DiskPool> pool = {};  // none where nothing has to be read

  explicit State(metrics::Log* given) : log(given), flights(given) {}

  DiskPool& threads() {
    std::call_once(pool_made, [this] { pool = std::make_unique<DiskPool>(pool_threads); });
    return *pool;
  }

  /// Those that rest come last, the one whose rest ends first before the others.
  std::vector<std::size_t> order(const Settings::Upstream& upstream) {
    std::vector<std::size_t> places(upstream.credentials.size());
    std::iota(places.begin(), places.end(), std::size_t{0});
    if (places.size() < 2) return places;
    const auto time = now();
    const std::lock_guard lock(mutex);
    const auto rests_until = [&](std::size_t which) {
      const auto until = sources[{upstream.name, which}].rests_until;
      return until > time ? until : Clock::time_point::min();
    };
    std::stable_sort(places.begin(), places.end(),
                     [&](std::size_t a, std::size_t b) { return rests_until(a) < rests_until(b); });
    return places;
  }

  /// What is known, when it need not be looked at; else what to look at.
  std::optional<Result<SharedLogin>> known(const Settings::Upstream& upstream, Work& work) {
    const auto time = now();
    const std::lock_guard lock(mutex);
    const auto& source = sources[{upstream.name, work.which}];
    if (time < source.read_at) work.seen = source.stamp;
    if (time >= source.look_at) return std::nullopt;
    if (source.error) return Result<SharedLogin>(*source.error);
    return Result<SharedLogin>(source.login);
  }

  /// Takes in what a look has found, and says what is good from now on.
  Result<SharedLogin> take(const Work& work, Result<LoginLook> looked) {
    const auto time = now();
    bool changed = false;
    std::optional<Error> wrong;
    Result<SharedLogin> result = SharedLogin();
    {
      const std::lock_guard lock(mutex);
      auto& source = sources[{work.upstream->name, work.which}];
      if (!looked || !looked->unchanged) source.read_last = time;
      if (!looked) {
        wrong = looked.error();
        source.look_at = time + (may_ask(work.source()) ? helper_pause : look_pause);
        if (!source.login) source.error = not_known(work.upstream->name, work.source(), *wrong);
      } else {
        source.look_at = time + (work.source().helper.empty() ? look_pause : kept_for);
        if (!looked->unchanged) {
          source.read_at = time + kept_for;
          source.stamp = looked->stamp;
          source.error.reset();
          changed = replace(source, std::move(looked->found));
        }
      }
      if (source.error) {
        result = *source.error;
      } else {
        result = source.login;
      }
    }
    tell(work, changed, wrong, result.has_value());
    return result;
  }

  void refused(const Settings::Upstream& upstream, const Chosen& chosen) {
    const auto time = now();
    const std::lock_guard lock(mutex);
    auto& source = sources[{upstream.name, chosen.which}];
    source.rests_until = std::max(source.rests_until, time + refused_rest);
    if (source.login != chosen.login) return;  // It is another one already.
    const bool asks = may_ask(upstream.credentials[chosen.which]);
    if (asks && time < source.read_last + helper_pause) return;
    source.look_at = source.read_at = time;
  }

  void rest(const Settings::Upstream& upstream, std::size_t which, std::chrono::seconds length) {
    const auto until = now() + length;
    const std::lock_guard lock(mutex);
    auto& source = sources[{upstream.name, which}];
    source.rests_until = std::max(source.rests_until, until);
  }

 private:
  /// True when another login was there before.
  static bool replace(Source& source, std::optional<Settings::Credentials> found) {
    SharedLogin fresh;
    if (found) {
      fresh = std::make_shared<const Login>(std::move(found->username), std::move(found->password));
    }
    const bool same = fresh && source.login && fresh->mark() == source.login->mark();
    if (same) return false;
    const bool changed = source.login != nullptr;
    source.login = std::move(fresh);
    return changed;
  }

  void tell(const Work& work, bool changed, const std::optional<Error>& wrong, bool goes_on) const {
    if (log == nullptr || (!changed && !wrong)) return;
    const auto& upstream = work.upstream->name;
    if (changed) {
      log->info("credentials changed", {{"upstream", upstream}, {"where", name_of(work.source())}});
    }
    if (!wrong) return;
    log->write_seldom("credentials " + upstream + std::to_string(work.which), metrics::Level::warn,
                      goes_on ? "credentials cannot be read again; the old ones are used on"
                              : "credentials cannot be read",
                      {{"upstream", upstream}, {"why", wrong->message}});
  }
};

Logins::Logins(metrics::Log* log, Environment environment, std::function<Clock::time_point()> now)
    : state_(std::make_shared<State>(log)) {
  state_->environment = std::move(environment);
  state_->now = now ? std::move(now) : std::function<Clock::time_point()>(&Clock::now);
}

net::awaitable<Result<SharedLogin>> Logins::look(std::shared_ptr<State> state,
                                                 std::shared_ptr<const Work> work) {
  // The pool's thread has all it needs of its own: it may still be at it when everybody has left.
  std::function<Result<LoginLook>()> task = [work, environment = state->environment] {
    const HelperRun run{.environment = environment, .time = helper_time};
    return look_for_login(work->source(), login_names(*work->upstream), work->seen, run);
  };
  auto looked = co_await state->threads().run(std::move(task));
  co_return state->take(*work, std::move(looked));
}

net::awaitable<Result<SharedLogin>> Logins::at(std::shared_ptr<State> state,
                                               std::shared_ptr<const Settings::Upstream> upstream,
                                               std::size_t which) {
  const auto& source = upstream->credentials[which];
  if (is_written(source)) {
    co_return std::make_shared<const Login>(source.username, source.password);
  }
  auto work = std::make_shared<Work>();
  work->upstream = upstream;
  work->which = which;
  auto known = state->known(*upstream, *work);
  if (known) co_return *std::move(known);
  SingleFlight<SharedLogin>::Work flight = [state, work] { return look(state, work); };
  std::string key = upstream->name + "\n" + std::to_string(which);
  // Two names may be tried, and one look may wait behind another.
  const auto patience = 4 * helper_time;
  co_return co_await state->flights.run(std::move(key), std::move(flight), patience);
}

net::awaitable<Result<Logins::Chosen>> Logins::current(
    std::shared_ptr<const Settings::Upstream> upstream) {
  const auto state = state_;
  std::optional<Error> wrong;
  for (const auto which : state->order(*upstream)) {
    auto login = co_await at(state, upstream, which);
    if (!login) {
      if (!wrong) wrong = login.error();
      continue;
    }
    if (*login) co_return Chosen{*std::move(login), which};
  }
  if (wrong) co_return *wrong;
  co_return Chosen();
}

void Logins::refused(const Settings::Upstream& upstream, const Chosen& chosen) {
  state_->refused(upstream, chosen);
}

void Logins::rest(const Settings::Upstream& upstream, std::size_t which,
                  std::chrono::seconds time) {
  state_->rest(upstream, which, time);
}

}  // namespace archway::proxy
