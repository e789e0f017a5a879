#pragma once

#include "resolver/model/platform.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace archway::resolver {

/// How far down a machine's ladder may go.
enum class Reach : std::uint8_t {
  machine,       ///< also its 32-bit sibling: 386 on amd64, arm on arm64
  architecture,  ///< the same architecture alone, for what is emulated: qemu is one architecture
};

/// What a machine of platform `wanted` (normal) runs, best first: arm64/v9 → v8.5 → … → v8 → arm/v8
/// → v7 → v6 → v5; amd64/v3 → v2 → v1 → 386; most others just themselves. Every rung bears the os,
/// its version and features of `wanted`. Empty for arm64, arm and amd64 of a variant that is not
/// known: what such a machine runs cannot be told.
///
/// Source: github.com/containerd/platforms, `Only` (package documentation).
std::vector<Platform> ladder(const Platform& wanted, Reach reach = Reach::machine);

/// True when an image for os version and features of `offered` starts on `wanted`: for Windows by
/// the builds that the kernel accepts, an unknown one on either side fits; every feature asked for
/// is there (`win32k` is there on every Windows).
///
/// Source: Microsoft, "Windows container version compatibility".
bool system_fits(const Platform& wanted, const Platform& offered);

/// The positions in `offered` of what runs, best first: by rung; on Windows by os.version, highest
/// number first; by the number of features used; by position. nullptr is never chosen.
std::vector<std::size_t> best_first(const std::vector<Platform>& rungs,
                                    const std::vector<const Platform*>& offered);

/// True when the client is a Windows of unknown build and the entries that would fit it are for
/// more than one build: any choice would be a guess.
bool is_a_guess(const std::vector<Platform>& rungs, const std::vector<const Platform*>& offered);

}  // namespace archway::resolver
