#include "metrics/labels.hpp"

namespace archway::metrics {

std::string LabelLimit::label(std::string_view value) {
  if (value.empty()) return "unknown";
  {
    const std::shared_lock lock(mutex_);
    if (known_.contains(value)) return std::string(value);
    if (known_.size() >= max_) return "other";
  }
  const std::unique_lock lock(mutex_);
  if (known_.contains(value)) return std::string(value);
  if (known_.size() >= max_) return "other";
  known_.emplace(value);
  return std::string(value);
}

}  // namespace archway::metrics
