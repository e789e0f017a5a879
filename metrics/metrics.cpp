#include "metrics/metrics.hpp"

#include "metrics/request_series.hpp"
#include "metrics/upstream_series.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/metric_family.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>
#include <utility>
#include <vector>

namespace archway::metrics {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

prometheus::Counter& lone_counter(prometheus::Registry& registry, const char* name,
                                  const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry).Add({});
}

MetricFamily family(const char* name, const char* help, MetricType type) {
  return {.name = name, .help = help, .type = type, .metric = {}};
}

void add(MetricFamily& family, std::uint64_t value,
         std::vector<prometheus::ClientMetric::Label> labels = {}) {
  prometheus::ClientMetric metric;
  metric.label = std::move(labels);
  metric.counter.value = static_cast<double>(value);
  metric.gauge.value = static_cast<double>(value);
  family.metric.push_back(std::move(metric));
}

void append_space(std::vector<MetricFamily>& families, const Metrics::Snapshot& snapshot) {
  const auto one = [&families](const char* name, const char* help, MetricType type,
                               std::uint64_t value) {
    auto series = family(name, help, type);
    add(series, value);
    families.push_back(std::move(series));
  };
  one("archway_cache_bytes", "Bytes of blobs in the cache.", MetricType::Gauge,
      snapshot.cache_bytes);
  one("archway_cache_limit_bytes",
      "Bytes that blobs and what is reserved may take at the moment; 0: no limit.",
      MetricType::Gauge, snapshot.cache_limit);
  one("archway_cache_reserved_bytes", "Bytes reserved by objects on their way.", MetricType::Gauge,
      snapshot.cache_reserved);
  one("archway_cache_evicted_blobs_total", "Blobs given up for others.", MetricType::Counter,
      snapshot.cache_evicted_blobs);
  one("archway_cache_evicted_bytes_total", "Bytes of blobs given up for others.",
      MetricType::Counter, snapshot.cache_evicted_bytes);
}

void append_upstreams(std::vector<MetricFamily>& families, const Metrics::Snapshot& snapshot) {
  auto up =
      family("archway_upstream_up",
             "0 while the upstream is only probed, because it does not answer.", MetricType::Gauge);
  auto held = family("archway_upstream_held_seconds",
                     "For how long the upstream asked to be left alone yet.", MetricType::Gauge);
  auto limit = family("archway_upstream_rate_limit", "Requests that the upstream allows.",
                      MetricType::Gauge);
  auto remaining = family("archway_upstream_rate_remaining",
                          "Requests that the upstream allows yet.", MetricType::Gauge);
  for (const auto& upstream : snapshot.upstreams) {
    const std::vector<prometheus::ClientMetric::Label> labels{{"upstream", upstream.name},
                                                              {"url", upstream.url}};
    add(up, upstream.answers ? 1 : 0, labels);
    add(held, upstream.held_s, labels);
    if (upstream.limit) add(limit, *upstream.limit, labels);
    if (upstream.limit) add(remaining, upstream.remaining, labels);
  }
  for (auto* one : {&up, &held, &limit, &remaining}) {
    if (!one->metric.empty()) families.push_back(std::move(*one));
  }
}

/// What is known at the moment of the scrape only; never kept, so two scrapes cannot mix.
void append(std::vector<MetricFamily>& families, const Metrics::Snapshot& snapshot) {
  append_space(families, snapshot);
  append_upstreams(families, snapshot);
  auto objects = family("archway_cache_objects", "Objects in the cache.", MetricType::Gauge);
  add(objects, snapshot.cache_blobs, {{"kind", "blob"}});
  add(objects, snapshot.cache_manifests, {{"kind", "manifest"}});
  add(objects, snapshot.cache_tags, {{"kind", "tag"}});
  add(objects, snapshot.quarantined, {{"kind", "quarantined"}});
  auto fills = family("archway_fills_in_progress", "Objects on their way from an upstream.",
                      MetricType::Gauge);
  add(fills, snapshot.fills_in_progress);
  auto dropped = family("archway_log_lines_dropped_total",
                        "Log lines that their target did not take in time.", MetricType::Counter);
  add(dropped, snapshot.log_lines_dropped);
  auto damaged =
      family("archway_cache_damaged_total", "Blobs whose file was found damaged, by what found it.",
             MetricType::Counter);
  for (const auto& [found_by, count] : snapshot.cache_damaged) {
    add(damaged, count, {{"found_by", std::string(found_by)}});
  }
  auto refused = family("archway_cache_write_errors_total",
                        "Writes to the cache that its disk refused, by why.", MetricType::Counter);
  for (const auto& [reason, count] : snapshot.cache_write_errors) {
    add(refused, count, {{"reason", std::string(reason)}});
  }
  auto scrubbed =
      family("archway_cache_scrubbed_bytes_total",
             "Bytes of blobs that were hashed again in idle time.", MetricType::Counter);
  add(scrubbed, snapshot.cache_scrubbed_bytes);
  auto read_only =
      family("archway_cache_read_only", "1 when nothing can be written to the cache's directory.",
             MetricType::Gauge);
  add(read_only, snapshot.cache_read_only ? 1 : 0);
  auto out_of_service =
      family("archway_cache_out_of_service",
             "1 when the cache's disk cannot be read: nothing comes from it.", MetricType::Gauge);
  add(out_of_service, snapshot.cache_out_of_service ? 1 : 0);
  for (auto* one :
       {&objects, &fills, &dropped, &damaged, &refused, &scrubbed, &read_only, &out_of_service}) {
    families.push_back(std::move(*one));
  }
}

class PrometheusMetrics final : public Metrics {
 public:
  explicit PrometheusMetrics(std::string_view version)
      : requests_(registry_),
        upstreams_(registry_),
        joined_(lone_counter(registry_, "archway_fills_joined_total",
                             "Requests that followed a fill which another had begun.")),
        fills_(prometheus::BuildCounter()
                   .Name("archway_fills_total")
                   .Help("Fills that ended, by what became of them.")
                   .Register(registry_)),
        prefetched_(prometheus::BuildCounter()
                        .Name("archway_prefetch_total")
                        .Help("Images that were fetched ahead, by what became of it.")
                        .Register(registry_)),
        conflicts_(lone_counter(registry_, "archway_platform_conflicts_total",
                                "Requests whose User-Agent contradicted the operator's rule.")),
        connections_(prometheus::BuildGauge()
                         .Name("archway_connections")
                         .Help("Connections of clients that are open.")
                         .Register(registry_)
                         .Add({})) {
    prometheus::BuildGauge()
        .Name("archway_build_info")
        .Help("Always 1; the label says which version runs.")
        .Register(registry_)
        .Add({{"version", std::string(version)}})
        .Set(1);
    for (const char* result : {"fetched", "failed"}) prefetched_.Add({{"result", result}});
  }

  void request(const Request& request) override { requests_.record(request); }
  void upstream_known(std::string_view upstream) override { upstreams_.known(upstream); }
  void upstream_bytes(std::string_view upstream, std::uint64_t bytes) override {
    upstreams_.bytes(upstream, bytes);
  }
  void upstream_answer(std::string_view upstream, int status, double seconds) override {
    upstreams_.answer(upstream, status, seconds);
  }
  void upstream_error(std::string_view upstream, std::string_view reason) override {
    upstreams_.error(upstream, reason);
  }
  void fill_joined() override { joined_.Increment(); }
  void fill_ended(std::string_view outcome) override {
    fills_.Add({{"outcome", std::string(outcome)}}).Increment();
  }
  void digest_mismatch(std::string_view upstream) override { upstreams_.digest_mismatch(upstream); }
  void prefetched(std::string_view result) override {
    prefetched_.Add({{"result", std::string(result)}}).Increment();
  }
  void platform_conflict() override { conflicts_.Increment(); }
  void connection_opened() override { connections_.Increment(); }
  void connection_closed() override { connections_.Decrement(); }

  std::string exposition(const Snapshot& snapshot) override {
    auto families = registry_.Collect();
    append(families, snapshot);
    return prometheus::TextSerializer().Serialize(families);
  }

 private:
  prometheus::Registry registry_;
  RequestSeries requests_;
  UpstreamSeries upstreams_;
  prometheus::Counter& joined_;
  prometheus::Family<prometheus::Counter>& fills_;
  prometheus::Family<prometheus::Counter>& prefetched_;
  prometheus::Counter& conflicts_;
  prometheus::Gauge& connections_;
};

}  // namespace

std::string_view name(Outcome outcome) noexcept {
  switch (outcome) {
    case Outcome::hit: return "hit";
    case Outcome::miss: return "miss";
    case Outcome::joined: return "joined";
    case Outcome::stale: return "stale";
    case Outcome::pass: return "pass";
    case Outcome::refused: return "refused";
    case Outcome::failed: return "failed";
    case Outcome::none: return "none";
  }
  return "none";
}

std::unique_ptr<Metrics> Metrics::make(std::string_view version) {
  return std::make_unique<PrometheusMetrics>(version);
}

}  // namespace archway::metrics
