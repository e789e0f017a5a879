#pragma once

#include <csignal>

namespace archway::proxy {

/// While it lives, the first Ctrl-C is taken down instead of ending the process; the second ends
/// it, for whoever does not want to wait. One at a time.
class Interruption {
 public:
  Interruption();
  ~Interruption();
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;

  /// Since it was made.
  bool came() const;

 private:
  struct sigaction before_ {};
};

}  // namespace archway::proxy
