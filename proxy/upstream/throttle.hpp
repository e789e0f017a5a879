#pragma once

#include "proxy/upstream/pacer.hpp"
#include "proxy/upstream/slots.hpp"

#include <memory>

namespace archway::proxy {

/// How much of one URL may be asked at once, by all threads. What is not there has no limit.
struct Throttle {
  std::shared_ptr<Slots> requests;   ///< of any kind
  std::shared_ptr<Slots> transfers;  ///< one fewer: a question need not wait for a blob's end
  std::shared_ptr<Pacer> bandwidth;
};

}  // namespace archway::proxy
