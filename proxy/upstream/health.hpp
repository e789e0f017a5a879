#pragma once

#include "metrics/log.hpp"
#include "proxy/http/message.hpp"
#include "proxy/upstream/breaker.hpp"
#include "proxy/upstream/rate_limit.hpp"
#include "resolver/model/error.hpp"
#include "resolver/model/result.hpp"

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>

namespace archway::proxy {

/// How one URL of an upstream is: whether it answers, whether it asked to be left alone, and what
/// may still be asked of it. One for all threads.
///
/// Threads: any.
class Health {
 public:
  using Time = std::chrono::steady_clock::time_point;
  /// However long an upstream asks for, it is asked again after an hour.
  static constexpr std::chrono::seconds hold_longest = std::chrono::hours(1);
  /// What an upstream said about its limit is forgotten after so long, where it did not say what
  /// time the limit is for.
  static constexpr std::chrono::seconds limit_window = std::chrono::hours(1);

  struct Parts {
    std::string upstream;  ///< the configured name
    std::string url;
    std::chrono::milliseconds probe_pause;  ///< before the first probe
    metrics::Log* log = nullptr;            ///< may be nullptr
  };
  explicit Health(Parts parts) : parts_(std::move(parts)), breaker_(parts_.probe_pause) {}

  /// Why it is not to be asked now; none: it may be. Errors: Errc::upstream_busy with the seconds
  /// that are left of what it asked for, or the last failure's code.
  std::optional<Error> refusal(Time now) const;
  /// The first half of it: it asked to be left alone.
  std::optional<Error> held(Time now) const;

  /// What became of a question. Only failures of the upstream itself count against it: what it says
  /// about an image is an answer.
  void answered();
  void failed(const Error& error, Time now);
  /// What a ping said.
  void probed(const Result<void>& pinged, Time now);
  /// Reads what an answer says about its rate limit.
  void note_limit(const Fields& fields, Time now);

  bool is_open() const;
  /// True when nobody probes it and somebody should: the caller does, from now on.
  bool begin_probing();
  void end_probing();
  std::chrono::milliseconds next_pause();

  /// What others may show of it.
  struct State {
    std::string upstream;
    std::string url;
    bool answers = true;        ///< false: it is not asked until a probe is answered
    std::string last_error;     ///< "" : its last answer was one
    std::chrono::seconds held;  ///< it asked to be left alone for so long
    std::optional<RateLimit> limit;
  };
  State state(Time now) const;
  bool budget_is_low(Time now) const;

 private:
  std::optional<Error> held_locked(Time now) const;
  std::optional<RateLimit> limit_locked(Time now) const;
  void closed_locked();
  void tell_low(const RateLimit& limit) const;
  void tell_opened(const Error& error) const;

  Parts parts_;
  mutable std::mutex mutex_;
  Breaker breaker_;
  bool probing_ = false;
  Time held_until_ = Time::min();
  std::optional<Error> last_error_;
  std::optional<RateLimit> limit_;
  Time limit_until_ = Time::min();
};

}  // namespace archway::proxy
