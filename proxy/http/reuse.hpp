#pragma once

#include "proxy/http/message.hpp"

#include <chrono>
#include <memory>
#include <string>

namespace archway::proxy {

/// Every answer has one of its own; nothing else of an answer that is given again differs but Date.
inline constexpr std::string_view request_id_field = "X-Request-Id";

/// Whoever made an answer says by this whether it may be given again to the same request, and is
/// told when it was. Threads: the loop's that made the answer.
class Reuse {
 public:
  virtual ~Reuse() = default;

  /// True while the request would be answered by the very same bytes. Asked before each use: it
  /// must be quick, and must not block.
  virtual bool still_right() const = 0;

  /// X-Request-Id of the next use.
  virtual std::string next_id() const = 0;

  struct Use {
    std::string id;
    std::shared_ptr<const Peer> peer;  ///< who got it
    std::chrono::steady_clock::time_point begun = std::chrono::steady_clock::now();
  };
  /// Called once for each use, when the answer has left or failed to: what is counted and logged.
  virtual void used(const Use& use, const Sent& sent) const = 0;
};

}  // namespace archway::proxy
