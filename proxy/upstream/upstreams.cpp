#include "proxy/upstream/upstreams.hpp"

#include "proxy/config/access.hpp"
#include "proxy/upstream/exchange.hpp"
#include "proxy/upstream/guarded_registry.hpp"
#include "proxy/upstream/lending.hpp"
#include "proxy/upstream/offline_registry.hpp"
#include "proxy/upstream/pool.hpp"
#include "proxy/upstream/registry_client.hpp"
#include "proxy/upstream/request_flow.hpp"
#include "proxy/upstream/several.hpp"
#include "proxy/upstream/shared.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace archway::proxy {
namespace {

Throttle throttle_of(const Settings::Upstream& upstream) {
  Throttle throttle;
  if (upstream.requests > 0) {
    throttle.requests = Slots::make(upstream.requests, upstream.name);
    throttle.transfers = Slots::make(std::max(1U, upstream.requests - 1), upstream.name);
  }
  if (upstream.bandwidth > 0) throttle.bandwidth = std::make_shared<Pacer>(upstream.bandwidth);
  return throttle;
}

class ThreadUpstreams final : public Upstreams {
 public:
  ThreadUpstreams(std::shared_ptr<SharedParts> shared, const boost::asio::any_io_executor& executor)
      : shared_(std::move(shared)), executor_(executor) {
    for (const auto& entry : shared_->entries) {
      const auto& name = entry.upstream->name;
      if (registries_.contains(name)) continue;
      std::shared_ptr<Registry> own =
          upstream(name, [this](const SharedParts::Entry& place) { return registry(place); });
      registries_.emplace(name, own);
      if (!entry.borrows) continue;
      const auto lending = std::make_shared<Lending>(own);
      lending_.emplace(name, lending);
      registries_.insert_or_assign(name, lending);
    }
  }
  ThreadUpstreams(const ThreadUpstreams&) = delete;
  ThreadUpstreams& operator=(const ThreadUpstreams&) = delete;
  ~ThreadUpstreams() override { close_all(); }

  Registry* find(std::string_view name) override {
    const auto found = registries_.find(name);
    return found == registries_.end() ? nullptr : found->second.get();
  }

  std::shared_ptr<Registry> find_as(std::string_view name, const Shown& shown) override {
    if (!registries_.contains(name)) return nullptr;
    SharedParts alone = *shared_;
    alone.tokens = std::make_shared<Tokens>(alone.log);  // Else they would stay behind.
    return upstream(
        name, [&](const SharedParts::Entry& place) { return registry_as(alone, place, shown); });
  }

  std::shared_ptr<void> lend(const ImageName& image, const Shown& shown, Lender lender) override {
    const auto found = lending_.find(image.upstream);
    if (found == lending_.end()) return nullptr;
    auto make = [this, name = image.upstream, shown] { return find_as(name, shown); };
    return found->second->lend(image.repository.str(), {.who = std::move(lender.who),
                                                        .make = std::move(make),
                                                        .refused = std::move(lender.refused)});
  }

  std::shared_ptr<void> loan_of(const ImageName& image) override {
    const auto found = lending_.find(image.upstream);
    return found == lending_.end() ? nullptr : found->second->loan_of(image.repository.str());
  }

  std::vector<Health::State> states() const override {
    std::vector<Health::State> states;
    const auto now = std::chrono::steady_clock::now();
    for (const auto& entry : shared_->entries) states.push_back(entry.health->state(now));
    return states;
  }

  bool budget_is_low(std::string_view name) const override {
    const auto now = std::chrono::steady_clock::now();
    const auto& entries = shared_->entries;
    return std::any_of(entries.begin(), entries.end(), [&](const auto& entry) {
      return entry.upstream->name == name && entry.health->budget_is_low(now);
    });
  }

  void close() override { close_all(); }

 private:
  void close_all() {
    for (const auto& client : clients_) client->close();
  }

  /// All places of an upstream, in turn where there are several.
  template <class Make>
  std::unique_ptr<Registry> upstream(std::string_view name, Make make) const {
    std::vector<Several::Place> places;
    std::shared_ptr<Suspects> suspects;
    for (const auto& entry : shared_->entries) {
      if (entry.upstream->name != name) continue;
      suspects = entry.suspects;
      places.push_back({.origin = entry.upstream->url.origin(), .registry = make(entry)});
    }
    if (places.size() == 1 || shared_->offline) return std::move(places.front().registry);
    return std::make_unique<Several>(std::string(name), std::move(places), suspects);
  }

  static std::string place_of(const SharedParts::Entry& entry) {
    return entry.upstream->name + " " + entry.upstream->url.origin();
  }

  std::unique_ptr<Registry> registry(const SharedParts::Entry& entry) {
    if (shared_->offline) return make_offline_registry(entry.upstream->name);
    clients_.push_back(client(*shared_, entry));
    auto own =
        std::make_unique<GuardedRegistry>(clients_.back(), entry.health, executor_, entry.throttle);
    own_.emplace(place_of(entry), *own);
    return own;
  }

  std::unique_ptr<Registry> registry_as(const SharedParts& alone, const SharedParts::Entry& entry,
                                        const Shown& shown) const {
    if (shared_->offline) return make_offline_registry(entry.upstream->name);
    auto upstream = std::make_shared<Settings::Upstream>(*entry.upstream);
    upstream->credentials.clear();
    if (shown.basic) upstream->credentials.push_back(*shown.basic);
    auto as = entry;
    as.upstream = upstream;
    if (!shown.bearer.empty()) as.bears = "Bearer " + shown.bearer;
    as.health = nullptr;  // A client's budget is not archway's.
    return std::make_unique<GuardedRegistry>(client(alone, as), own_.at(place_of(entry)));
  }

  std::shared_ptr<RegistryClient> client(const SharedParts& shared,
                                         const SharedParts::Entry& entry) const {
    return std::make_shared<RegistryClient>(shared.flow(entry, executor_), shared.metrics,
                                            entry.health);
  }

  std::shared_ptr<SharedParts> shared_;
  boost::asio::any_io_executor executor_;
  std::vector<std::shared_ptr<RegistryClient>> clients_;
  std::map<std::string, GuardedRegistry> own_;  // by place; they share what they guard
  std::map<std::string, std::shared_ptr<Lending>, std::less<>> lending_;
  std::map<std::string, std::shared_ptr<Registry>, std::less<>> registries_;
};

/// An upstream for each of its URLs, alike but for that.
std::vector<Settings::Upstream> places_of(const Settings::Upstream& upstream) {
  std::vector<Settings::Upstream> places{upstream};
  for (const auto& url : upstream.further_urls) {
    places.push_back(upstream);
    places.back().url = url;
  }
  for (auto& place : places) place.further_urls.clear();
  return places;
}

}  // namespace

Result<std::shared_ptr<SharedParts>> SharedParts::make(const Settings& settings, metrics::Log* log,
                                                       metrics::Metrics* metrics,
                                                       Names::Options names) {
  auto shared = std::make_shared<SharedParts>();
  TlsContexts contexts;
  for (const auto& upstream : settings.upstreams) {
    const auto suspects = std::make_shared<Suspects>();
    const auto throttle = throttle_of(upstream);
    const bool borrows = upstream.credentials.empty() && may_ask_clients(settings, upstream.name);
    for (const auto& place : places_of(upstream)) {
      auto ways = Ways::of(place, contexts);
      if (!ways) return ways.error();
      auto health =
          std::make_shared<Health>(Health::Parts{.upstream = place.name,
                                                 .url = place.url.origin(),
                                                 .probe_pause = settings.timeouts.retry_pause,
                                                 .log = log});
      shared->entries.push_back({std::make_shared<const Settings::Upstream>(place), suspects,
                                 *std::move(ways), std::move(health), throttle, borrows});
    }
  }
  shared->offline = settings.offline;
  shared->timeouts = settings.timeouts;
  shared->names = std::make_shared<Names>(std::move(names));
  shared->tokens = std::make_shared<Tokens>(log);
  shared->log = log;
  shared->metrics = metrics;
  return shared;
}

std::shared_ptr<Exchange> SharedParts::exchange(
    const Entry& entry, const boost::asio::any_io_executor& executor) const {
  return std::make_shared<Exchange>(
      Exchange::Parts{.upstream = entry.upstream->name,
                      .connector = Connector(names, entry.ways, timeouts),
                      .pool = std::make_shared<Pool>(executor),
                      .timeouts = timeouts,
                      .log = log,
                      .metrics = metrics});
}

std::shared_ptr<RequestFlow> SharedParts::flow(const Entry& entry,
                                               const boost::asio::any_io_executor& executor) const {
  return std::make_shared<RequestFlow>(RequestFlow::Parts{.upstream = entry.upstream,
                                                          .exchange = exchange(entry, executor),
                                                          .tokens = tokens,
                                                          .timeouts = timeouts,
                                                          .bears = entry.bears});
}

void SharedParts::reload() {
  TlsContexts contexts;
  for (const auto& entry : entries) {
    const auto& upstream = *entry.upstream;
    const auto read = entry.ways.read_again(upstream, contexts);
    if (!read) {
      log->error("the new certificates of an upstream cannot be used; the old ones stay",
                 {{"upstream", upstream.name}, {"why", read.error().message}});
    } else if (!upstream.ca_file.empty() || upstream.client_certificate) {
      log->info("certificates of an upstream read again",
                {{"upstream", upstream.name}, {"url", upstream.url.origin()}});
    }
  }
}

Result<std::shared_ptr<UpstreamShared>> UpstreamShared::make(const Settings& settings,
                                                             metrics::Log* log,
                                                             metrics::Metrics* metrics) {
  auto made = SharedParts::make(settings, log, metrics, Names::Options());
  if (!made) return made.error();
  return std::shared_ptr<UpstreamShared>(*std::move(made));
}

std::unique_ptr<Upstreams> Upstreams::make(std::shared_ptr<UpstreamShared> shared,
                                           boost::asio::any_io_executor executor) {
  // UpstreamShared::make is the only maker, so that it is always one of these.
  return std::make_unique<ThreadUpstreams>(std::static_pointer_cast<SharedParts>(std::move(shared)),
                                           executor);
}

}  // namespace archway::proxy
