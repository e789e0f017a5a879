#include "cache/ghosts.hpp"

#include <algorithm>
#include <utility>

namespace archway::cache {
namespace {

constexpr std::size_t buckets_min = 8;

std::uint32_t shortened(std::uint64_t hash) {
  return std::max<std::uint32_t>(1, static_cast<std::uint32_t>(hash));
}

}  // namespace

Ghosts::Ghosts() : ghosts_(buckets_min * ways) {}

Ghosts::Ghost* Ghosts::places(std::uint32_t hash) {
  const auto buckets = ghosts_.size() / ways;
  return &ghosts_[hash % buckets * ways];
}

/// In the place of nobody, else of the one that went first.
void Ghosts::put(Ghost ghost) {
  auto* const first = places(ghost.hash);
  auto* const place = std::max_element(first, first + ways, [&](const Ghost& a, const Ghost& b) {
    const auto age = [&](const Ghost& other) {
      return other.hash == 0 ? std::uint64_t{1} << 32 : now() - other.when;
    };
    return age(a) < age(b);
  });
  *place = ghost;
}

void Ghosts::add(std::uint64_t hash, std::uint64_t size) {
  take(hash, 0);  // Never twice.
  evicted_ += size;
  put({.hash = shortened(hash), .when = now()});
}

bool Ghosts::take(std::uint64_t hash, std::uint64_t reach) {
  const auto wanted = shortened(hash);
  auto* const first = places(wanted);
  auto* const found =
      std::find_if(first, first + ways, [&](const Ghost& ghost) { return ghost.hash == wanted; });
  if (found == first + ways) return false;
  const auto since = std::exchange(*found, Ghost{}).when;
  return (now() - since) * unit <= reach;
}

void Ghosts::hold(std::size_t count) {
  if (count <= ghosts_.size()) return;
  auto wanted = ghosts_.size();
  while (wanted < count) wanted *= 2;
  const auto old = std::exchange(ghosts_, std::vector<Ghost>(wanted));
  for (const auto& ghost : old) {
    if (ghost.hash != 0) put(ghost);
  }
}

}  // namespace archway::cache
