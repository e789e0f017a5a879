#pragma once

#include "cache/cache.hpp"
#include "proxy/disk_pool.hpp"
#include "proxy/pull/parts.hpp"
#include "proxy/upstream/upstreams.hpp"
#include "tests/integration/images.hpp"
#include "tests/support/fakes.hpp"
#include "tests/support/scripted_upstream.hpp"
#include "tests/support/temp_dir.hpp"

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <exception>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace archway::test {

/// A cache as it is, with transfers that only its numbers know of.
class BusyCache : public cache::Cache {
 public:
  explicit BusyCache(std::unique_ptr<cache::Cache> real) : real_(std::move(real)) {}
  cache::Index& index() override { return real_->index(); }
  std::optional<cache::BlobFile> open_blob(const Digest& digest) override {
    return real_->open_blob(digest);
  }
  Access open_or_join(const Digest& digest, const std::string& asker) override {
    return real_->open_or_join(digest, asker);
  }
  std::shared_ptr<cache::Fill> find_fill(const Digest& digest) const override {
    return real_->find_fill(digest);
  }
  void report_damaged(const Digest& digest, const cache::BlobFile& blob,
                      std::string_view why) override {
    real_->report_damaged(digest, blob, why);
  }
  cache::Verified verify(const cache::VerifyProgress& progress) override {
    return real_->verify(progress);
  }
  Stats stats() const override {
    auto stats = real_->stats();
    stats.fills_in_progress += more;
    return stats;
  }
  void reconcile() override { real_->reconcile(); }
  Result<Collected> remove(std::span<const Digest> blobs) override { return real_->remove(blobs); }
  Result<Collected> collect() override { return real_->collect(); }
  const std::filesystem::path& directory() const override { return real_->directory(); }

  std::atomic<std::uint64_t> more = 0;

 private:
  std::unique_ptr<cache::Cache> real_;
};

/// Counts what was fetched ahead. Threads: any.
class PrefetchMetrics : public QuietMetrics {
 public:
  void prefetched(std::string_view result) override { ++(result == "fetched" ? fetched : failed); }
  std::atomic<int> fetched = 0;
  std::atomic<int> failed = 0;
};

/// What fetching ahead needs, on a loop with a thread of its own; `docker.io` is a scripted
/// upstream. The coroutines go when it is stopped, where they wait.
class PrefetchBench {
 public:
  explicit PrefetchBench(proxy::Settings with = {}) : settings(std::move(with)) {
    const auto url = *resolver::Url::parse(upstream.url());
    settings.upstreams.push_back({.name = "docker.io", .url = url, .is_default = true});
    cache = std::make_unique<BusyCache>(
        *cache::Cache::open({.directory = dir.path() / "cache", .sync = false}, &log));
    upstreams_ = proxy::Upstreams::make(*proxy::UpstreamShared::make(settings, &log, &metrics),
                                        context_.get_executor());
    shared = std::make_unique<proxy::PullShared>(&settings, cache.get(), &log, &metrics, &disk_,
                                                 &publish_);
    parts = {.shared = shared.get(), .upstreams = upstreams_.get()};
    thread_ = std::thread([this] { context_.run(); });
  }
  PrefetchBench(const PrefetchBench&) = delete;
  PrefetchBench& operator=(const PrefetchBench&) = delete;
  ~PrefetchBench() { stop(); }

  void stop() {
    if (!thread_.joinable()) return;
    context_.stop();
    thread_.join();
    disk_.stop();
    publish_.stop();
    context_.drop_coroutines();
  }

  void spawn(boost::asio::awaitable<void> work) {
    boost::asio::co_spawn(context_, std::move(work), [](std::exception_ptr escaped) {
      if (escaped) std::rethrow_exception(escaped);
    });
  }

  boost::asio::any_io_executor executor() { return context_.get_executor(); }

  void commit(cache::Changes changes) {
    std::promise<void> done;
    cache->index().commit(std::move(changes), [&](const Result<void>&) { done.set_value(); });
    done.get_future().wait();
  }

  bool has_blob(const std::string& bytes) const {
    return cache->index().find_blob(*Digest::parse(digest_of(bytes))).has_value();
  }
  /// GET requests for these bytes.
  std::size_t asked_for(const std::string& bytes) const {
    return upstream.count("GET", blob_path("hi", digest_of(bytes)));
  }

  ScriptedUpstream upstream;
  TempDir dir;
  QuietLog log;
  PrefetchMetrics metrics;
  proxy::Settings settings;
  std::unique_ptr<BusyCache> cache;
  std::unique_ptr<proxy::PullShared> shared;
  proxy::PullParts parts{};

 private:
  class Context : public boost::asio::io_context {
   public:
    Context() : io_context(1) {}
    void drop_coroutines() { shutdown(); }
  };

  proxy::DiskPool disk_{2};
  proxy::DiskPool publish_{1};
  Context context_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_{
      context_.get_executor()};
  std::unique_ptr<proxy::Upstreams> upstreams_;
  std::thread thread_;
};

/// Polls until it is so; false after ten seconds.
inline bool comes_true(const std::function<bool()>& so) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!so()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

inline ImageName hi() {
  return {.upstream = "docker.io", .repository = *Repository::parse("hi")};
}

}  // namespace archway::test
