#include "proxy/pull/prefetch_queue.hpp"

#include "proxy/pull/obtain_blob.hpp"
#include "proxy/upstream/status.hpp"

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <exception>
#include <utility>

namespace archway::proxy {

namespace net = boost::asio;

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds clients_look{250};
constexpr std::size_t client_transfers_max = fills_max / 2;
constexpr std::chrono::hours idle_wait{1};  // There is always a next wait.

std::string key_of(const PrefetchBatch& batch) {
  return batch.image.str() + "@" + batch.manifest.str();
}

bool lives_elsewhere(const Descriptor& layer) {
  return layer.media_type.find("foreign") != std::string::npos ||
         layer.media_type.find("nondistributable") != std::string::npos;
}

/// Counts a transfer as long as it is under way, also when its loop ends first.
class Counted {
 public:
  explicit Counted(std::size_t& count) : count_(count) { ++count_; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  ~Counted() { --count_; }

 private:
  std::size_t& count_;
};

}  // namespace

std::vector<Digest> missing_parts(const cache::Index& index, const resolver::Manifest& manifest) {
  std::vector<Digest> parts;
  if (manifest.kind != ManifestKind::manifest || !manifest.interpretable) return parts;
  const auto add = [&](const Descriptor& part) {
    const bool known = std::find(parts.begin(), parts.end(), part.digest) != parts.end();
    if (!known && !index.find_blob(part.digest)) parts.push_back(part.digest);
  };
  if (manifest.config) add(*manifest.config);
  for (const auto& layer : manifest.layers) {
    if (!lives_elsewhere(layer)) add(layer);
  }
  return parts;
}

bool PrefetchQueue::push(PrefetchBatch batch) {
  std::vector<std::shared_ptr<Wakeup>> woken;
  {
    const std::lock_guard lock(mutex_);
    const auto key = key_of(batch);
    const auto found = running_.find(key);
    if (found != running_.end()) {
      if (batch.done) found->second->done.push_back(std::move(batch.done));
      return true;
    }
    if (batch.blobs.empty() || jobs_.size() + batch.blobs.size() > prefetch_blobs_max) return false;
    const auto running = std::make_shared<Running>(Running{.batch = std::move(batch)});
    auto& own = running->batch;
    running->left = own.blobs.size();
    if (own.done) running->done.push_back(std::move(own.done));
    for (const auto& blob : own.blobs) jobs_.push_back({.running = running, .blob = blob});
    running_.emplace(key, running);
    woken.swap(idle_);
  }
  for (const auto& wakeup : woken) wakeup->fire();
  return true;
}

std::optional<PrefetchQueue::Job> PrefetchQueue::take(const std::shared_ptr<Wakeup>& wakeup) {
  const std::lock_guard lock(mutex_);
  if (jobs_.empty()) {
    idle_.push_back(wakeup);
    return std::nullopt;
  }
  auto job = std::move(jobs_.front());
  jobs_.pop_front();
  return job;
}

net::awaitable<void> PrefetchQueue::wait_for_clients(PullParts* parts) {
  const auto executor = co_await net::this_coro::executor;
  const auto others = [this, parts] {
    const auto all = parts->shared->cache->stats().fills_in_progress;
    return all - std::min<std::uint64_t>(all, fetching_);
  };
  while (others() > client_transfers_max) {
    net::steady_timer timer(executor);
    timer.expires_after(clients_look);
    boost::system::error_code ignored;
    co_await timer.async_wait(net::redirect_error(net::use_awaitable, ignored));
  }
}

net::awaitable<Result<PrefetchQueue::Fetched>> PrefetchQueue::fetch(PullParts* parts,
                                                                    ImageName image, Digest blob) {
  const Counted counted(fetching_);
  const auto obtained = co_await obtain_blob(parts, image, blob);
  if (!obtained) co_return obtained.error();
  if (obtained->file) co_return Fetched();
  const auto whole = co_await await_whole(obtained->fill, image);
  if (!whole) co_return whole.error();
  const bool own = obtained->outcome == metrics::Outcome::miss;
  co_return own ? Fetched(whole->size) : Fetched();
}

void PrefetchQueue::spare(const std::string& upstream, std::chrono::seconds retry_after,
                          const std::string& why) {
  if (!spared_->failed(upstream, retry_after, Clock::now())) return;
  log_->info("an upstream fails; nothing of it is fetched ahead for a while",
             {{"upstream", upstream}, {"why", why}});
}

/// Whatever happens, the batch it belongs to comes to its end.
net::awaitable<Result<PrefetchQueue::Fetched>> PrefetchQueue::fetch_or_explain(PullParts* parts,
                                                                               ImageName image,
                                                                               Digest blob) {
  try {
    co_return co_await fetch(parts, image, blob);
  } catch (const std::exception& error) {
    co_return Error{.code = Errc::overloaded,
                    .origin = Origin::storage,
                    .message = "archway could not fetch a blob ahead",
                    .context = error.what(),
                    .retryable = true};
  }
}

void PrefetchQueue::account(Running& running, const Digest& blob, const Result<Fetched>& fetched) {
  const auto& upstream = running.batch.image.upstream;
  if (!fetched) {
    running.failed = true;
    const auto& error = fetched.error();
    const std::chrono::seconds wait(error.retry_after_s);
    if (upstream_fails(error)) spare(upstream, wait, error.message);
    return;
  }
  if (!*fetched) return;
  spared_->answered(upstream, Clock::now());
  ++running.fetched;
  if (blob != running.batch.config) ++running.layers;
  running.bytes += **fetched;
}

/// Whoever waits for it, and from now on the next batch of this manifest is a new one.
std::vector<std::function<void(bool)>> PrefetchQueue::leave(const Running& running) {
  const std::lock_guard lock(mutex_);
  running_.erase(key_of(running.batch));
  return running.done;
}

void PrefetchQueue::end(PullParts* parts, Running& running) {
  const auto& batch = running.batch;
  if (running.failed) parts->shared->metrics->prefetched("failed");
  if (!running.failed && running.fetched > 0) {
    parts->shared->metrics->prefetched("fetched");
    log_->info("prefetched", {{"image", batch.name},
                              {"platform", batch.platform},
                              {"digest", batch.manifest.str()},
                              {"layers", static_cast<std::uint64_t>(running.layers)},
                              {"bytes", running.bytes}});
  }
  for (const auto& done : leave(running)) done(!running.failed);
}

net::awaitable<void> PrefetchQueue::work(PullParts* parts) {
  const auto executor = co_await net::this_coro::executor;
  for (;;) {
    const auto wakeup = Wakeup::make(executor);
    const auto job = take(wakeup);
    if (!job) {
      co_await wakeup->wait(idle_wait);
      continue;
    }
    auto& running = *job->running;
    const auto image = running.batch.image;
    // One part that cannot be had makes the rest useless until the next time.
    running.failed = running.failed || spared_->is_spared(image.upstream, Clock::now());
    if (!running.failed) {
      co_await wait_for_clients(parts);
      const auto fetched = co_await fetch_or_explain(parts, image, job->blob);
      account(running, job->blob, fetched);
    }
    if (--running.left == 0) end(parts, running);
  }
}

}  // namespace archway::proxy
