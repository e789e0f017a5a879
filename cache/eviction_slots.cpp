#include "cache/eviction_slots.hpp"

#include <algorithm>
#include <span>
#include <utility>

namespace archway::cache {
namespace {

using Slot = EvictionSlots::Slot;

static_assert(sizeof(Slot) == 56, "the documentation says so");

/// Hashes of 64 bytes are told apart by their first half as surely as those of 32.
bool is_of(const Slot& slot, const Digest& digest) {
  return slot.algorithm == digest.algorithm() &&
         std::equal(slot.hash.begin(), slot.hash.end(), digest.bytes().begin());
}

/// The hash is uniform already; its first byte has chosen the shard.
std::size_t spread(std::span<const std::uint8_t> hash) {
  std::size_t value = 0;
  for (std::size_t i = 1; i <= sizeof value; ++i) value = value << 8 | hash[i];
  return value;
}

}  // namespace

std::size_t EvictionSlots::shard_of(const Digest& digest) {
  return digest.bytes()[0] % shard_count;
}

/// The cell of that digest, else the empty one where it would stand.
std::size_t EvictionSlots::Shard::cell_of(const Digest& digest) const {
  const auto mask = cells.size() - 1;
  auto at = spread(digest.bytes()) & mask;
  while (cells[at] != empty && !is_of(slots[cells[at]], digest)) at = (at + 1) & mask;
  return at;
}

std::size_t EvictionSlots::Shard::home_of(const Slot& slot) const {
  return spread(slot.hash) & (cells.size() - 1);
}

void EvictionSlots::Shard::grow() {
  const auto old = std::exchange(cells, std::vector<std::uint32_t>(cells.size() * 2, empty));
  const auto mask = cells.size() - 1;
  for (const auto index : old) {
    if (index == empty) continue;
    auto at = home_of(slots[index]);
    while (cells[at] != empty) at = (at + 1) & mask;
    cells[at] = index;
  }
}

void EvictionSlots::hit(const Digest& digest) {
  auto& shard = shards_[shard_of(digest)];
  const std::lock_guard lock(shard.mutex);
  const auto index = shard.cells[shard.cell_of(digest)];
  if (index == empty) return;
  auto& hits = shard.slots[index].hits;
  if (hits < hits_max) ++hits;
}

EvictionSlots::Id EvictionSlots::find(const Digest& digest) const {
  const auto number = shard_of(digest);
  const auto& shard = shards_[number];
  const auto index = shard.cells[shard.cell_of(digest)];
  return index == empty ? none : static_cast<Id>(index * shard_count + number);
}

EvictionSlots::Id EvictionSlots::insert(const Digest& digest, std::uint64_t size) {
  const auto number = shard_of(digest);
  auto& shard = shards_[number];
  const std::lock_guard lock(shard.mutex);
  if ((shard.used + 1) * 4 > shard.cells.size() * 3) shard.grow();
  auto index = shard.vacant;
  if (index == empty) {
    index = static_cast<std::uint32_t>(shard.slots.size());
    shard.slots.emplace_back();
  } else {
    shard.vacant = shard.slots[index].newer;
  }
  auto& slot = shard.slots[index];
  slot = {.size = size, .algorithm = digest.algorithm()};
  const auto hash = digest.bytes();
  std::copy_n(hash.begin(), slot.hash.size(), slot.hash.begin());
  if (hash.size() > slot.hash.size()) {
    const auto tail = hash.subspan(slot.hash.size());
    std::copy(tail.begin(), tail.end(), shard.tails[index].begin());
  }
  shard.cells[shard.cell_of(digest)] = index;
  ++shard.used;
  return static_cast<Id>(index * shard_count + number);
}

void EvictionSlots::erase(Id id) {
  const auto whose = digest(id);
  auto& shard = shards_[id % shard_count];
  const std::lock_guard lock(shard.mutex);
  const auto mask = shard.cells.size() - 1;
  auto hole = shard.cell_of(whose);
  const auto index = shard.cells[hole];
  // Whoever stands behind the hole because of it moves up, or would not be found any more.
  for (auto at = (hole + 1) & mask; shard.cells[at] != empty; at = (at + 1) & mask) {
    const auto home = shard.home_of(shard.slots[shard.cells[at]]);
    if (((at - home) & mask) < ((at - hole) & mask)) continue;
    shard.cells[hole] = shard.cells[at];
    hole = at;
  }
  shard.cells[hole] = empty;
  shard.tails.erase(index);
  shard.slots[index].newer = shard.vacant;
  shard.vacant = index;
  --shard.used;
}

Digest EvictionSlots::digest(Id id) const {
  const auto& shard = shards_[id % shard_count];
  const auto index = static_cast<std::uint32_t>(id / shard_count);
  const auto& slot = shard.slots[index];
  std::array<std::uint8_t, 64> hash{};
  std::copy(slot.hash.begin(), slot.hash.end(), hash.begin());
  if (slot.algorithm == Digest::Algorithm::sha256) {
    return *Digest::of(slot.algorithm, std::span(hash).first(slot.hash.size()));
  }
  const auto& tail = shard.tails.at(index);
  std::copy(tail.begin(), tail.end(), hash.begin() + slot.hash.size());
  return *Digest::of(slot.algorithm, hash);
}

std::uint8_t EvictionSlots::hits(Id id) const {
  const auto& shard = shards_[id % shard_count];
  const std::lock_guard lock(shard.mutex);
  return shard.slots[id / shard_count].hits;
}

void EvictionSlots::set_hits(Id id, std::uint8_t hits) {
  auto& shard = shards_[id % shard_count];
  const std::lock_guard lock(shard.mutex);
  shard.slots[id / shard_count].hits = hits;
}

}  // namespace archway::cache
