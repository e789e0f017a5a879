#pragma once

#include "proxy/admin/admin.hpp"
#include "proxy/upstream/upstreams.hpp"
#include "tests/support/fakes.hpp"
#include "tests/support/run.hpp"
#include "tests/support/scripted_upstream.hpp"
#include "tests/support/temp_dir.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace archway::test {

/// A cache as it is, but for its numbers, which are a test's.
class CountedCache : public cache::Cache {
 public:
  explicit CountedCache(std::unique_ptr<cache::Cache> real) : real_(std::move(real)) {}
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
  Stats stats() const override { return counted; }
  void reconcile() override { real_->reconcile(); }
  Result<Collected> collect() override { return real_->collect(); }
  Result<Collected> remove(std::span<const Digest> blobs) override { return real_->remove(blobs); }
  const std::filesystem::path& directory() const override { return real_->directory(); }

  Stats counted;

 private:
  std::unique_ptr<cache::Cache> real_;
};

/// The operator's port with everything behind it, without a socket before it; `docker.io` and
/// `other.test` are one scripted upstream.
class AdminBench {
 public:
  explicit AdminBench(proxy::Settings with = {}) : settings(std::move(with)) {
    const auto url = *resolver::Url::parse(upstream.url());
    settings.upstreams.push_back({.name = "docker.io", .url = url, .is_default = true});
    settings.upstreams.push_back({.name = "other.test", .url = url});
    settings.admin = proxy::Settings::Endpoint{.address = "127.0.0.1", .port = 5001};
    auto made = proxy::UpstreamShared::make(settings, &log, &metrics);
    if (!made) throw std::runtime_error(made.error().message);
    upstreams = proxy::Upstreams::make(*made, loop.get_executor());
    auto opened = cache::Cache::open({.directory = dir.path(), .sync = false}, &log);
    if (!opened) throw std::runtime_error(opened.error().message);
    cache = std::make_unique<CountedCache>(*std::move(opened));
    shared =
        std::make_unique<proxy::PullShared>(&settings, cache.get(), &log, &metrics, &disk, &disk);
    parts = {.pull = {.shared = shared.get(), .upstreams = upstreams.get()},
             .draining = &draining,
             .listeners = &listeners,
             .threads = 3};
    admin = std::make_unique<proxy::Admin>(parts);
  }
  ~AdminBench() { disk.stop(); }

  struct Answer {
    std::uint16_t status;
    std::string body;
    proxy::Fields fields;
    bool close;

    boost::json::value json() const { return boost::json::parse(body); }
    /// The sentence of an error.
    std::string error() const { return json().at("error").as_string().c_str(); }
  };
  Answer ask(const std::string& target, proxy::Method method = proxy::Method::get,
             const std::vector<std::pair<std::string, std::string>>& fields = {}) {
    auto request = std::make_shared<proxy::Request>();
    request->method = method;
    request->target = target;
    for (const auto& [name, value] : fields) request->fields.add(name, value);
    const auto response = run(loop, admin->handle(std::move(request)));
    return {response.status, *std::get<proxy::BytesBody>(response.body), response.fields,
            response.close};
  }
  Answer put(const std::string& target) { return ask(target, proxy::Method::put); }
  Answer remove(const std::string& target) { return ask(target, proxy::Method::del); }

  void commit(cache::Changes changes) {
    std::promise<void> done;
    cache->index().commit(std::move(changes), [&](Result<void>) { done.set_value(); });
    done.get_future().wait();
  }

  ScriptedUpstream upstream;
  TempDir dir;
  QuietLog log;
  QuietMetrics metrics;
  proxy::Settings settings;
  boost::asio::io_context loop{1};
  std::unique_ptr<proxy::Upstreams> upstreams;
  std::unique_ptr<CountedCache> cache;
  proxy::DiskPool disk{1};
  std::unique_ptr<proxy::PullShared> shared;
  std::atomic<bool> draining = false;
  std::vector<proxy::Settings::Listener> listeners;
  proxy::AdminParts parts{};
  std::unique_ptr<proxy::Admin> admin;
};

}  // namespace archway::test
