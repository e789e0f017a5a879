#pragma once

#include "metrics/labels.hpp"

#include <map>
#include <mutex>
#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <string>
#include <string_view>

namespace archway::metrics {

/// The series of what upstreams answer. Bytes are counted for each piece that arrives, so their
/// counter is found without making a string; the rest happens once an exchange.
///
/// Threads: any.
class UpstreamSeries {
 public:
  explicit UpstreamSeries(prometheus::Registry& registry);

  void known(std::string_view upstream);
  void bytes(std::string_view upstream, std::uint64_t bytes);
  void answer(std::string_view upstream, int status, double seconds);
  void error(std::string_view upstream, std::string_view reason);
  void digest_mismatch(std::string_view upstream);

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>{}(text);
    }
  };

  prometheus::Family<prometheus::Counter>& bytes_;
  prometheus::Family<prometheus::Counter>& answers_;
  prometheus::Family<prometheus::Histogram>& seconds_;
  prometheus::Family<prometheus::Counter>& errors_;
  prometheus::Family<prometheus::Counter>& mismatches_;
  SeriesCache<std::string, prometheus::Counter*, Hash, std::equal_to<>> bytes_of_;
};

}  // namespace archway::metrics
