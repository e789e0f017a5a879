#pragma once

#include "resolver/model/digest.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace archway::cache::testing {

/// The digest with that number, spread like a hash.
inline Digest numbered(std::uint32_t number,
                       Digest::Algorithm algorithm = Digest::Algorithm::sha256) {
  std::array<std::uint8_t, 64> hash{};
  auto mixed = (number + 1) * std::uint64_t{0x9e3779b97f4a7c15};
  for (auto& byte : hash) {
    mixed = (mixed ^ mixed >> 29) * 0xbf58476d1ce4e5b9;
    byte = static_cast<std::uint8_t>(mixed >> 40);
  }
  const std::size_t size = algorithm == Digest::Algorithm::sha256 ? 32 : 64;
  return *Digest::of(algorithm, std::span(hash).first(size));
}

}  // namespace archway::cache::testing
