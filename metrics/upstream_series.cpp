#include "metrics/upstream_series.hpp"

namespace archway::metrics {
namespace {

/// From a registry in the next rack (5 ms) to the bound on a first byte (30 s), in seconds.
const prometheus::Histogram::BucketBoundaries seconds_buckets = {
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30};

prometheus::Family<prometheus::Counter>& counter(prometheus::Registry& registry, const char* name,
                                                 const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}

}  // namespace

UpstreamSeries::UpstreamSeries(prometheus::Registry& registry)
    : bytes_(counter(registry, "archway_upstream_bytes_total",
                     "Bytes of bodies received from upstreams.")),
      answers_(counter(registry, "archway_upstream_answers_total",
                       "Answers of upstreams by status code.")),
      seconds_(prometheus::BuildHistogram()
                   .Name("archway_upstream_seconds")
                   .Help("Time until the headers of an upstream's answer were in, in seconds.")
                   .Register(registry)),
      errors_(counter(registry, "archway_upstream_errors_total",
                      "Exchanges with upstreams that failed, by reason.")),
      mismatches_(counter(registry, "archway_digest_mismatches_total",
                          "Objects that were thrown away because their bytes were not those of "
                          "their digest.")) {}

void UpstreamSeries::known(std::string_view upstream) {
  bytes(upstream, 0);
  const std::string name(upstream);
  for (const char* reason : {"upstream_unreachable", "upstream_failed", "upstream_busy"}) {
    errors_.Add({{"upstream", name}, {"reason", reason}});
  }
  mismatches_.Add({{"upstream", name}});
  seconds_.Add({{"upstream", name}}, seconds_buckets);
}

void UpstreamSeries::bytes(std::string_view upstream, std::uint64_t bytes) {
  prometheus::Counter** found = bytes_of_.find(upstream);
  if (found == nullptr) {
    prometheus::Counter* made = &bytes_.Add({{"upstream", std::string(upstream)}});
    found = bytes_of_.insert(std::string(upstream), made);
  }
  (*found)->Increment(static_cast<double>(bytes));
}

void UpstreamSeries::answer(std::string_view upstream, int status, double seconds) {
  // An upstream may send any number; only those that exist become labels.
  const std::string code = status >= 100 && status <= 599 ? std::to_string(status) : "other";
  answers_.Add({{"upstream", std::string(upstream)}, {"status", code}}).Increment();
  seconds_.Add({{"upstream", std::string(upstream)}}, seconds_buckets).Observe(seconds);
}

void UpstreamSeries::error(std::string_view upstream, std::string_view reason) {
  errors_.Add({{"upstream", std::string(upstream)}, {"reason", std::string(reason)}}).Increment();
}

void UpstreamSeries::digest_mismatch(std::string_view upstream) {
  mismatches_.Add({{"upstream", std::string(upstream)}}).Increment();
}

}  // namespace archway::metrics
