#include "proxy/upstream/breaker.hpp"

#include <algorithm>

namespace archway::proxy {

void Breaker::answered() {
  failures_ = 0;
  pause_ = first_;
}

void Breaker::probe_answered() {
  failures_ = std::min(failures_, failures_max - 1);
}

bool Breaker::failed() {
  if (is_open()) return false;
  ++failures_;
  return is_open();
}

Breaker::Pause Breaker::next_pause() {
  const auto pause = std::min(pause_, pause_longest);
  pause_ = std::min(2 * pause_, pause_longest);
  return pause;
}

}  // namespace archway::proxy
