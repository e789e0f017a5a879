#pragma once

#include <cstdint>

namespace archway::proxy {

struct PullShared;

/// How much has changed so far of what answers about manifests are made of. As long as two are
/// equal, the same question has the same answer; taken before the first look at any of it.
struct Knowledge {
  std::uint64_t index = 0;           ///< commits
  std::uint64_t virtual_images = 0;  ///< made or removed
  std::uint64_t single_images = 0;   ///< whose platform was learnt

  static Knowledge of(const PullShared& shared);

  friend bool operator==(const Knowledge&, const Knowledge&) = default;
};

}  // namespace archway::proxy
