#include "proxy/pull/prefetch.hpp"

#include "proxy/pull/asked.hpp"
#include "proxy/pull/prefetch_queue.hpp"
#include "proxy/pull/spared.hpp"
#include "proxy/pull/tag_watch.hpp"
#include "proxy/upstream/status.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <exception>
#include <functional>
#include <utility>

namespace archway::proxy {

namespace net = boost::asio;

namespace {

constexpr std::chrono::minutes second_wind{1};

/// Nobody waits for this work, so nobody would notice that it ended: after an exception (no memory)
/// it begins again.
net::awaitable<void> keep_at(metrics::Log* log, std::function<net::awaitable<void>()> work) {
  const auto executor = co_await net::this_coro::executor;
  for (;;) {
    try {
      co_await work();
      co_return;
    } catch (const std::exception& error) {
      log->error("fetching ahead was ended by an exception; it goes on in a minute",
                 {{"what", std::string(error.what())}});
    }
    net::steady_timer timer(executor);
    timer.expires_after(second_wind);
    boost::system::error_code ignored;
    co_await timer.async_wait(net::redirect_error(net::use_awaitable, ignored));
  }
}

}  // namespace

struct Prefetch::State {
  State(const Settings& with, Seen* remembered, metrics::Log* out)
      : settings(&with),
        seen(remembered),
        log(out),
        queue(&spared, out),
        tags(with, remembered, &queue, &spared, out) {}

  const Settings* settings;
  Seen* seen;
  metrics::Log* log;
  Spared spared;
  PrefetchQueue queue;
  TagWatch tags;
};

Prefetch::Prefetch(const Settings& settings, Seen* seen, metrics::Log* log)
    : state_(std::make_unique<State>(settings, seen, log)) {}

Prefetch::~Prefetch() = default;

void Prefetch::handed_out(PullParts* parts, ImageName image, std::optional<Tag> tag,
                          std::optional<Platform> platform, const StoredManifest& manifest,
                          bool body) {
  const auto& prefetch = state_->settings->prefetch;
  if (tag && platform) pulled(image, *tag, *platform, unix_now());
  if (!prefetch.layers || !body) return;
  if (state_->spared.is_spared(image.upstream, std::chrono::steady_clock::now())) return;
  if (parts->upstreams->budget_is_low(image.upstream)) {
    state_->queue.spare(image.upstream, std::chrono::seconds(0), little_left);
    return;
  }
  auto missing = missing_parts(parts->shared->cache->index(), *manifest.manifest);
  if (missing.empty()) return;
  const Reference reference = tag ? Reference(*tag) : Reference(manifest.digest);
  PrefetchBatch batch{.image = image,
                      .name = full_name(image, reference),
                      .manifest = manifest.digest,
                      .blobs = std::move(missing)};
  if (platform) batch.platform = platform->str();
  if (manifest.manifest->config) batch.config = manifest.manifest->config->digest;
  state_->queue.push(std::move(batch));
}

void Prefetch::pulled(const ImageName& image, const Tag& tag, const Platform& platform,
                      std::int64_t now) {
  if (state_->settings->prefetch.seen) state_->seen->note(image, tag, platform, now);
}

void Prefetch::spare(const std::string& upstream, const Error& error) {
  if (!upstream_fails(error)) return;
  state_->queue.spare(upstream, std::chrono::seconds(error.retry_after_s), error.message);
}

net::awaitable<void> Prefetch::watch(PullParts* parts) {
  const auto executor = co_await net::this_coro::executor;
  auto* const state = state_.get();
  const std::function<net::awaitable<void>()> fetch = [state, parts] {
    return state->queue.work(parts);
  };
  for (unsigned i = 0; i < std::max(1U, state->settings->prefetch.transfers); ++i) {
    net::co_spawn(executor, keep_at(state->log, fetch),
                  [log = state->log](std::exception_ptr escaped) {
                    if (escaped) log->error("fetching ahead ended by an exception");
                  });
  }
  if (!state->settings->prefetch.seen) co_return;
  const std::function<net::awaitable<void>()> look = [state, parts] {
    return state->tags.run(parts);
  };
  co_await keep_at(state->log, look);
}

}  // namespace archway::proxy
