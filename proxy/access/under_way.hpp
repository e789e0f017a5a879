#pragma once

#include <atomic>
#include <cstddef>

namespace archway::proxy {

/// One of those that are under way at once, counted for as long as it lives. Threads: any.
class UnderWay {
 public:
  explicit UnderWay(std::atomic<std::size_t>& count) : count_(count), before_(count++) {}
  UnderWay(const UnderWay&) = delete;
  UnderWay& operator=(const UnderWay&) = delete;
  ~UnderWay() { --count_; }

  /// True when it is one of the first `max`.
  bool fits(std::size_t max) const { return before_ < max; }

 private:
  std::atomic<std::size_t>& count_;
  const std::size_t before_;
};

}  // namespace archway::proxy
