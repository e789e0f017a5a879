#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>

namespace archway::proxy {

/// The right to one of a bounded number of relays; given back by its end. Threads: any.
class RelaySlot {
 public:
  using Count = std::shared_ptr<std::atomic<std::size_t>>;

  /// None when `most` are taken.
  static std::optional<RelaySlot> take(Count taken, std::size_t most);

  RelaySlot(RelaySlot&&) noexcept = default;
  RelaySlot& operator=(RelaySlot&&) = delete;
  ~RelaySlot() {
    if (taken_) --*taken_;
  }

 private:
  explicit RelaySlot(Count taken) : taken_(std::move(taken)) {}

  Count taken_;
};

inline std::optional<RelaySlot> RelaySlot::take(Count taken, std::size_t most) {
  if (++*taken <= most) return RelaySlot(std::move(taken));
  --*taken;
  return std::nullopt;
}

}  // namespace archway::proxy
