#pragma once

#include "metrics/labels.hpp"
#include "metrics/metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <string>
#include <string_view>
#include <tuple>

namespace archway::metrics {

/// The series of ended requests: how many, how long, how many bytes. One hash look-up under a
/// shared lock for labels that were seen before.
///
/// Threads: any.
class RequestSeries {
 public:
  /// Platforms that get a label of their own.
  static constexpr std::size_t platforms_max = 64;

  explicit RequestSeries(prometheus::Registry& registry);

  void record(const Metrics::Request& request);

 private:
  struct Series {
    prometheus::Counter* count;
    prometheus::Counter* bytes;
    prometheus::Histogram* seconds;
  };
  /// kind, outcome, upstream, platform, status class.
  using Key = std::tuple<std::string, Outcome, std::string, std::string, int>;
  using KeyView = std::tuple<std::string_view, Outcome, std::string_view, std::string_view, int>;
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(const Key& key) const noexcept;
    std::size_t operator()(const KeyView& key) const noexcept;
  };
  struct Equal {
    using is_transparent = void;
    template <class A, class B>
    bool operator()(const A& a, const B& b) const noexcept {
      return a == b;
    }
  };

  Series* make(const KeyView& key);

  prometheus::Family<prometheus::Counter>& counts_;
  prometheus::Family<prometheus::Counter>& bytes_;
  prometheus::Family<prometheus::Histogram>& seconds_;
  LabelLimit platforms_{platforms_max};
  SeriesCache<Key, Series, Hash, Equal> series_;
};

}  // namespace archway::metrics
