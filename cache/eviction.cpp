#include "cache/eviction.hpp"

#include <algorithm>
#include <bit>

namespace archway::cache {
namespace {

constexpr std::uint64_t fresh_part = 10;  // A tenth of the bytes is for what is new.
constexpr double mean_sizes = 4;          // Up to so many mean sizes a blob is small.

// Evicted bytes after which nobody is remembered: nine tenths of what there is, as in the paper.
constexpr std::uint64_t remembered(std::uint64_t bytes) {
  return bytes / 10 * 9;
}

std::uint64_t hash_of(const Digest& digest) {
  return std::hash<Digest>()(digest);
}

}  // namespace

std::uint8_t Eviction::list_of(Place place, std::uint64_t size) {
  const auto division = static_cast<std::size_t>(std::bit_width(size | 1) - 1) / 2;
  return static_cast<std::uint8_t>(static_cast<std::size_t>(place) * divisions +
                                   std::min(division, divisions - 1));
}

void Eviction::push(Id id, Place place) {
  auto& slot = slots_[id];
  slot.list = list_of(place, slot.size);
  slot.since = added_;
  auto& list = queue(place).lists[slot.list % divisions];
  slot.older = list.newest;
  slot.newer = none;
  (list.newest == none ? list.oldest : slots_[list.newest].newer) = id;
  list.newest = id;
  queue(place).bytes += slot.size;
}

void Eviction::unlink(Id id) {
  const auto& slot = slots_[id];
  auto& whole = queue(place_of(slot.list));
  auto& list = whole.lists[slot.list % divisions];
  (slot.older == none ? list.oldest : slots_[slot.older].newer) = slot.newer;
  (slot.newer == none ? list.newest : slots_[slot.newer].older) = slot.older;
  whole.bytes -= slot.size;
}

/// For one that is in no list.
void Eviction::forget(Id id) {
  bytes_ -= slots_[id].size;
  --count_;
  slots_.erase(id);
}

bool Eviction::add(const Evictable& blob) {
  const std::lock_guard lock(mutex_);
  ++added_;
  if (const auto known = slots_.find(blob.digest); known != none) {
    change(known, blob);
    return false;
  }
  const auto id = slots_.insert(blob.digest, blob.size);
  bytes_ += blob.size;
  ++count_;
  ghosts_.hold(count_);
  const bool missed = ghosts_.take(hash_of(blob.digest), remembered(bytes_));
  push(id, blob.rank == Rank::excluded ? Place::excluded : missed ? Place::main : Place::fresh);
  return true;
}

void Eviction::change(Id id, const Evictable& blob) {
  auto place = place_of(slots_[id].list);
  if (place == Place::excluded) place = Place::fresh;
  if (blob.rank == Rank::excluded) place = Place::excluded;
  unlink(id);
  bytes_ += blob.size - slots_[id].size;
  slots_[id].size = blob.size;
  push(id, place);
}

void Eviction::set_rank(const Digest& digest, Rank rank) {
  const std::lock_guard lock(mutex_);
  const auto id = slots_.find(digest);
  if (id == none) return;
  const bool is_excluded = place_of(slots_[id].list) == Place::excluded;
  if (is_excluded == (rank == Rank::excluded)) return;
  change(id, {.digest = digest, .size = slots_[id].size, .rank = rank});
}

std::optional<std::uint64_t> Eviction::remove(const Digest& digest) {
  const std::lock_guard lock(mutex_);
  const auto id = slots_.find(digest);
  if (id == none) return std::nullopt;
  const std::uint64_t size = slots_[id].size;
  unlink(id);
  forget(id);
  return size;
}

/// Of the oldest in each division, the one whose age and size together weigh the most.
Eviction::Id Eviction::foremost(Place place) const {
  const double small = mean_sizes * static_cast<double>(bytes_) /
                       static_cast<double>(std::max<std::size_t>(count_, 1));
  Id best = none;
  double most = 0;
  for (const auto& list : queues_[static_cast<std::size_t>(place)].lists) {
    if (list.oldest == none) continue;
    const auto& slot = slots_[list.oldest];
    const double size = static_cast<double>(slot.size) + 1;
    const double age = static_cast<double>(added_ - slot.since) + 1;
    const double weight = age * size / (size + small);
    if (best != none && weight <= most) continue;
    best = list.oldest;
    most = weight;
  }
  return best;
}

/// Taken out of its list; `none` when all lists are empty.
Eviction::Id Eviction::next_to_go() {
  if (const auto id = foremost(Place::excluded); id != none) {
    unlink(id);
    return id;
  }
  for (;;) {
    const bool full = queue(Place::fresh).bytes > bytes_ / fresh_part;
    auto place = full ? Place::fresh : Place::main;
    auto id = foremost(place);
    if (id == none) {
      place = full ? Place::main : Place::fresh;
      id = foremost(place);
    }
    if (id == none) return none;
    unlink(id);
    const auto hits = slots_.hits(id);
    if (hits == 0) return id;
    slots_.set_hits(id, place == Place::fresh ? 0 : static_cast<std::uint8_t>(hits - 1));
    push(id, Place::main);
  }
}

std::optional<Evictable> Eviction::victim(const MayGo& may_go) {
  const std::lock_guard lock(mutex_);
  std::optional<Evictable> found;
  std::vector<Id> kept;  // In no list until the end, so that each is asked about once.
  for (auto id = next_to_go(); id != none; id = next_to_go()) {
    const auto digest = slots_.digest(id);
    const bool excluded = place_of(slots_[id].list) == Place::excluded;
    if (!may_go(digest)) {
      kept.push_back(id);
      continue;
    }
    found = {.digest = digest,
             .size = slots_[id].size,
             .rank = excluded ? Rank::excluded : Rank::ordinary};
    forget(id);
    if (!excluded) ghosts_.add(hash_of(digest), found->size);
    break;
  }
  for (const auto id : kept) {
    const bool excluded = place_of(slots_[id].list) == Place::excluded;
    push(id, excluded ? Place::excluded : Place::main);
  }
  return found;
}

std::uint64_t Eviction::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

std::size_t Eviction::count() const {
  const std::lock_guard lock(mutex_);
  return count_;
}

}  // namespace archway::cache
