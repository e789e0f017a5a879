#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace archway::metrics {

/// What became of a request: the `outcome` label and the log word.
enum class Outcome : std::uint8_t { hit, miss, joined, stale, pass, refused, failed, none };
std::string_view name(Outcome outcome) noexcept;

/// Every series of archway, named once. Prometheus' naming rules; labels are bounded: upstreams are
/// configured names, platforms are normalised and limited in number (the rest is "other"), no
/// repository and no digest is ever a label.
///
/// Threads: any.
class Metrics {
 public:
  static std::unique_ptr<Metrics> make(std::string_view version);
  virtual ~Metrics() = default;

  /// A request that ended. `kind`: Route's word, "" for what was none; `upstream` and `platform` ""
  /// when unknown. archway_requests_total, archway_request_seconds, archway_client_bytes_total.
  struct Request {
    std::string_view kind;
    Outcome outcome = Outcome::none;
    std::string_view upstream;
    std::string_view platform;
    int status = 0;
    std::uint64_t bytes = 0;  ///< of the body, to the client
    double seconds = 0;
  };
  virtual void request(const Request& request) = 0;

  /// Makes an upstream's series visible at zero, so that a rate over them is right from the first
  /// event on. Once for each configured name.
  virtual void upstream_known(std::string_view upstream) = 0;
  /// archway_upstream_bytes_total{upstream}: body bytes received.
  virtual void upstream_bytes(std::string_view upstream, std::uint64_t bytes) = 0;
  /// archway_upstream_seconds{upstream}: until the headers of an answer were in.
  virtual void upstream_answer(std::string_view upstream, int status, double seconds) = 0;
  /// archway_upstream_errors_total{upstream,reason}; reason is an Errc's name or a constant word.
  virtual void upstream_error(std::string_view upstream, std::string_view reason) = 0;

  virtual void fill_joined() = 0;                               ///< archway_fills_joined_total
  virtual void fill_ended(std::string_view outcome) = 0;        ///< archway_fills_total{outcome}
  virtual void digest_mismatch(std::string_view upstream) = 0;  ///< archway_digest_mismatches_total
  virtual void platform_conflict() = 0;  ///< archway_platform_conflicts_total
  /// archway_prefetch_total{result}: images whose parts were fetched ahead, or could not be.
  /// `result`: fetched, failed.
  virtual void prefetched(std::string_view result) = 0;
  virtual void connection_opened() = 0;  ///< archway_connections (gauge)
  virtual void connection_closed() = 0;

  /// Read when scraped: archway_cache_bytes, archway_cache_limit_bytes,
  /// archway_cache_reserved_bytes, archway_cache_evicted_blobs_total,
  /// archway_cache_evicted_bytes_total, archway_cache_objects{kind},
  /// archway_cache_damaged_total{found_by}, archway_cache_write_errors_total{reason},
  /// archway_cache_read_only, archway_cache_out_of_service, archway_cache_scrubbed_bytes_total,
  /// archway_fills_in_progress, archway_log_lines_dropped_total.
  struct Snapshot {
    std::uint64_t cache_bytes = 0;
    std::uint64_t cache_limit = 0;  ///< 0: none
    std::uint64_t cache_reserved = 0;
    std::uint64_t cache_evicted_blobs = 0;
    std::uint64_t cache_evicted_bytes = 0;
    std::uint64_t cache_blobs = 0;
    std::uint64_t cache_manifests = 0;
    std::uint64_t cache_tags = 0;
    std::uint64_t fills_in_progress = 0;
    std::uint64_t quarantined = 0;
    std::uint64_t log_lines_dropped = 0;
    /// Numbers, each with its label.
    using Labelled = std::vector<std::pair<std::string_view, std::uint64_t>>;
    Labelled cache_damaged = {};
    Labelled cache_write_errors = {};
    /// archway_upstream_up, archway_upstream_held_seconds, and where the upstream says it
    /// archway_upstream_rate_limit and archway_upstream_rate_remaining, all {upstream,url}.
    struct Upstream {
      std::string name;
      std::string url;
      bool answers = true;
      std::uint64_t held_s = 0;  ///< it asked to be left alone for so long
      std::optional<std::uint64_t> limit = {};
      std::uint64_t remaining = 0;
    };
    std::vector<Upstream> upstreams = {};
    bool cache_read_only = false;
    bool cache_out_of_service = false;
    std::uint64_t cache_scrubbed_bytes = 0;
  };
  /// The text of /metrics (Prometheus text format 0.0.4).
  virtual std::string exposition(const Snapshot& snapshot) = 0;
};

}  // namespace archway::metrics
