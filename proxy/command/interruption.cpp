#include "proxy/command/interruption.hpp"

#include <atomic>

namespace archway::proxy {

namespace {

std::atomic<bool> interrupted = false;
static_assert(std::atomic<bool>::is_always_lock_free);  // What a signal handler may touch.

}  // namespace

Interruption::Interruption() {
  interrupted = false;
  struct sigaction once {};
  once.sa_handler = [](int) { interrupted = true; };
  once.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
  ::sigaction(SIGINT, &once, &before_);
}

Interruption::~Interruption() {
  ::sigaction(SIGINT, &before_, nullptr);
}

bool Interruption::came() const {
  return interrupted;
}

}  // namespace archway::proxy
