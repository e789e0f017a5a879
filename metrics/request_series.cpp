#include "metrics/request_series.hpp"

#include <array>

namespace archway::metrics {
namespace {

/// From a hit in memory (1 ms) to a large blob over a slow line (10 min), in seconds.
const prometheus::Histogram::BucketBoundaries seconds_buckets = {
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 180, 600};

/// One word for all statuses of a class: the outcome says the rest, and one series fewer is kept
/// for each of them. 0 is a client that left before there was a status.
std::string_view class_name(int status_class) noexcept {
  constexpr std::array<std::string_view, 6> names = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"};
  return status_class >= 1 && status_class <= 5 ? names[static_cast<std::size_t>(status_class)]
                                                : names[0];
}

std::string or_unknown(std::string_view value) {
  return std::string(value.empty() ? std::string_view("unknown") : value);
}

template <class Key>
std::size_t hash_of(const Key& key) noexcept {
  const auto text = [](std::string_view part) { return std::hash<std::string_view>{}(part); };
  std::size_t value = text(std::get<0>(key));
  const auto mix = [&](std::size_t part) { value = value * 31 + part; };
  mix(static_cast<std::size_t>(std::get<1>(key)));
  mix(text(std::get<2>(key)));
  mix(text(std::get<3>(key)));
  mix(static_cast<std::size_t>(std::get<4>(key)));
  return value;
}

}  // namespace

std::size_t RequestSeries::Hash::operator()(const Key& key) const noexcept {
  return hash_of(key);
}
std::size_t RequestSeries::Hash::operator()(const KeyView& key) const noexcept {
  return hash_of(key);
}

RequestSeries::RequestSeries(prometheus::Registry& registry)
    : counts_(prometheus::BuildCounter()
                  .Name("archway_requests_total")
                  .Help("Requests of clients that ended, whatever became of them.")
                  .Register(registry)),
      bytes_(prometheus::BuildCounter()
                 .Name("archway_client_bytes_total")
                 .Help("Bytes of bodies sent to clients.")
                 .Register(registry)),
      seconds_(prometheus::BuildHistogram()
                   .Name("archway_request_seconds")
                   .Help("Time from a request's first byte to its answer's last, in seconds.")
                   .Register(registry)) {}

void RequestSeries::record(const Metrics::Request& request) {
  KeyView key{request.kind, request.outcome, request.upstream, request.platform,
              request.status / 100};
  Series* series = series_.find(key);
  if (series == nullptr) {
    // Only what the limit lets through becomes a key, so the cache is bounded with the labels.
    const std::string platform = platforms_.label(request.platform);
    if (platform == "other") std::get<3>(key) = platform;
    series = series_.find(key);
    if (series == nullptr) series = make(key);
  }
  series->count->Increment();
  series->bytes->Increment(static_cast<double>(request.bytes));
  series->seconds->Observe(request.seconds);
}

RequestSeries::Series* RequestSeries::make(const KeyView& key) {
  const auto& [kind, outcome, upstream, platform, status_class] = key;
  const prometheus::Labels short_labels{{"kind", or_unknown(kind)},
                                        {"outcome", std::string(name(outcome))}};
  prometheus::Labels labels = short_labels;
  labels["upstream"] = or_unknown(upstream);
  labels["platform"] = or_unknown(platform);
  prometheus::Labels with_status = labels;
  with_status["status"] = class_name(status_class);
  const Series made{.count = &counts_.Add(with_status),
                    .bytes = &bytes_.Add(labels),
                    .seconds = &seconds_.Add(short_labels, seconds_buckets)};
  return series_.insert(Key(kind, outcome, upstream, platform, status_class), made);
}

}  // namespace archway::metrics
