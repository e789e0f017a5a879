#include "cache/space_keeper.hpp"

#include <algorithm>
#include <limits>
#include <new>
#include <string>
#include <sys/statvfs.h>
#include <utility>

namespace archway::cache {
namespace {

/// Blobs that go in one commit of the index.
constexpr std::size_t batch_max = 256;
/// The least that goes when the disk is full by itself: not every piece shall wait for a commit.
constexpr std::uint64_t free_up_min = 4 << 20;
/// Commits that one caller waits for; what is too much then is left for the next.
constexpr int batches_max = 64;

/// Short texts: making this one asks for no memory.
Error no_memory() {
  return {.code = Errc::storage_failed,
          .origin = Origin::storage,
          .message = "out of memory",
          .context = "bad_alloc",
          .retryable = true};
}

constexpr std::uint64_t unlimited = std::numeric_limits<std::uint64_t>::max();

constexpr std::uint64_t plus(std::uint64_t a, std::uint64_t b) {
  return a > unlimited - b ? unlimited : a + b;
}

constexpr std::uint64_t minus(std::uint64_t a, std::uint64_t b) {
  return a < b ? 0 : a - b;
}

constexpr std::uint64_t low_watermark(std::uint64_t limit) {
  return limit - limit / 20;
}

}  // namespace

std::optional<std::uint64_t> free_bytes(int directory) {
  struct statvfs facts {};
  if (::fstatvfs(directory, &facts) != 0) return std::nullopt;
  return std::uint64_t{facts.f_bavail} * facts.f_frsize;
}

SpaceKeeper::SpaceKeeper(const SpaceLimits& limits, std::uint64_t published, Eviction* policy,
                         Disk disk)
    : limits_(limits),
      policy_(policy),
      disk_(std::move(disk)),
      usage_{.published = published},
      unknown_(published) {}

/// What eviction frees is missing in one of its terms and more in another: it changes only by what
/// others do.
std::uint64_t SpaceKeeper::limit() const {
  const auto most = limits_.max_size == 0 ? unlimited : limits_.max_size;
  if (limits_.keep_free == 0) return most;
  const auto free = disk_.free_bytes();
  if (!free) return most;
  const auto all = plus(plus(usage_.published, on_disk_), *free);
  return std::min(most, minus(all, limits_.keep_free));
}

bool SpaceKeeper::fits(std::uint64_t bytes) const {
  return plus(plus(usage_.published, usage_.reserved), bytes) <= limit();
}

bool SpaceKeeper::is_hopeless(std::uint64_t bytes) const {
  return plus(usage_.reserved, bytes) > limit();
}

Error SpaceKeeper::full(std::uint64_t bytes) const {
  return {.code = Errc::storage_failed,
          .origin = Origin::storage,
          .message = "The disk of archway's cache is full.",
          .context = "full: no room for " + std::to_string(bytes) + " bytes beside " +
                     std::to_string(usage_.published) + " of blobs and " +
                     std::to_string(usage_.reserved) + " reserved by running fills; " +
                     std::to_string(limit()) + " are allowed"};
}

/// How much has to go; nothing when it fits as it is.
std::uint64_t SpaceKeeper::excess(std::uint64_t bytes) const {
  if (fits(bytes)) return 0;
  return minus(plus(plus(usage_.published, usage_.reserved), bytes), low_watermark(limit()));
}

std::vector<Evictable> SpaceKeeper::next_victims(std::uint64_t bytes) {
  std::vector<Evictable> victims;
  victims.reserve(batch_max);  // Before one is taken off the policy's list.
  std::uint64_t sum = 0;
  while (sum < bytes && victims.size() < batch_max) {
    auto victim = policy_->victim(disk_.may_go);
    if (!victim) break;
    sum += victim->size;
    victims.push_back(*victim);
  }
  return victims;
}

/// What throws has taken nothing, as far as is known: the victims come back.
Result<SpaceKeeper::Evicted> SpaceKeeper::try_to_evict(const std::vector<Evictable>& victims) {
  try {
    return disk_.evict(victims);
  } catch (const std::bad_alloc&) {
    return no_memory();
  }
}

/// The books of one batch: what goes is counted no more, whoever has taken its file away.
Result<SpaceKeeper::Evicted> SpaceKeeper::evict_batch(const std::vector<Evictable>& victims) {
  auto evicted = try_to_evict(victims);
  const auto& stay = evicted ? evicted->stay : victims;
  std::uint64_t bytes = 0;
  for (const auto& victim : victims) bytes += victim.size;
  for (const auto& blob : stay) bytes -= blob.size;
  {
    const std::lock_guard lock(mutex_);
    usage_.published = minus(usage_.published, bytes);
    usage_.evicted_blobs += victims.size() - stay.size();
    usage_.evicted_bytes += bytes;
  }
  for (const auto& blob : stay) policy_->add(blob);
  return evicted;
}

/// How much came free. Never more than `excess`, but for the last blob: a file system that shows
/// freed room late must not cost the whole cache.
Result<std::uint64_t> SpaceKeeper::evict(std::uint64_t excess) try {
  std::uint64_t freed = 0;
  for (int batch = 0; freed < excess && batch < batches_max; ++batch) {
    const auto victims = next_victims(excess - freed);
    if (victims.empty()) break;
    const auto evicted = evict_batch(victims);
    if (!evicted) return evicted.error();
    freed += evicted->freed;
  }
  return freed;
} catch (const std::bad_alloc&) {
  return no_memory();  // Whoever wants room is refused, and the books stay right.
}

Result<void> SpaceKeeper::claim(std::uint64_t bytes, bool take) {
  {
    const std::lock_guard lock(mutex_);
    if (fits(plus(wanted_, bytes))) {
      if (take) usage_.reserved += bytes;
      return {};
    }
    if (is_hopeless(bytes)) return full(bytes);
    wanted_ += bytes;
  }
  const std::lock_guard turn(evicting_);
  std::unique_lock lock(mutex_);
  const auto too_much = excess(bytes);
  lock.unlock();
  const auto evicted = evict(too_much);
  lock.lock();
  wanted_ -= bytes;
  if (!fits(bytes)) return evicted ? full(bytes) : evicted.error();
  if (take) usage_.reserved += bytes;
  return {};
}

Result<SpaceKeeper::Reservation> SpaceKeeper::reserve(std::uint64_t bytes) {
  if (auto claimed = claim(bytes, true); !claimed) return claimed.error();
  return Reservation(this, bytes);
}

Result<void> SpaceKeeper::make_room(std::uint64_t bytes) {
  return claim(bytes, false);
}

Result<void> SpaceKeeper::free_up(std::uint64_t bytes) {
  const std::lock_guard turn(evicting_);
  std::unique_lock lock(mutex_);
  if (bytes > usage_.published) return full(bytes);
  const auto wanted = std::max(bytes, free_up_min);
  lock.unlock();
  const auto freed = evict(wanted);
  if (!freed) return freed.error();
  lock.lock();
  if (*freed == 0) return full(bytes);
  return {};
}

void SpaceKeeper::know(const Evictable& blob) {
  if (!policy_->add(blob)) return;
  const std::lock_guard lock(mutex_);
  const auto counted = std::min(unknown_, blob.size);
  unknown_ -= counted;
  usage_.published += blob.size - counted;
}

void SpaceKeeper::know_all() {
  const std::lock_guard lock(mutex_);
  usage_.published = minus(usage_.published, std::exchange(unknown_, 0));
}

void SpaceKeeper::adopt(const Evictable& blob) {
  Reservation(this, 0).publish(blob);
}

void SpaceKeeper::forget(const Digest& digest, std::uint64_t size) {
  const auto known = policy_->remove(digest);
  const std::lock_guard lock(mutex_);
  const auto counted = known ? *known : std::min(unknown_, size);
  if (!known) unknown_ -= counted;
  usage_.published = minus(usage_.published, counted);
}

SpaceKeeper::Usage SpaceKeeper::usage() const {
  const std::lock_guard lock(mutex_);
  auto usage = usage_;
  const auto now = limit();
  // Nothing at all may be there: that is a limit, too.
  usage.limit = now == unlimited ? 0 : std::max<std::uint64_t>(now, 1);
  return usage;
}

void SpaceKeeper::give_back(std::uint64_t bytes, std::uint64_t on_disk) {
  usage_.reserved -= bytes;
  on_disk_ -= on_disk;
}

SpaceKeeper::Reservation::Reservation(Reservation&& other) noexcept
    : keeper_(std::exchange(other.keeper_, nullptr)),
      bytes_(std::exchange(other.bytes_, 0)),
      on_disk_(std::exchange(other.on_disk_, 0)) {}

SpaceKeeper::Reservation::~Reservation() {
  if (keeper_ == nullptr) return;
  const std::lock_guard lock(keeper_->mutex_);
  keeper_->give_back(bytes_, on_disk_);
}

Result<void> SpaceKeeper::Reservation::grow_to(std::uint64_t bytes) {
  if (bytes <= bytes_) return {};
  if (auto claimed = keeper_->claim(bytes - bytes_, true); !claimed) return claimed.error();
  bytes_ = bytes;
  return {};
}

void SpaceKeeper::Reservation::on_disk(std::uint64_t bytes) {
  const auto now = std::min(bytes, bytes_);
  const std::lock_guard lock(keeper_->mutex_);
  keeper_->on_disk_ += now - on_disk_;
  on_disk_ = now;
}

void SpaceKeeper::Reservation::publish(const Evictable& blob) {
  {
    // Before the policy knows it: from then on it may be evicted, and is subtracted.
    const std::lock_guard lock(keeper_->mutex_);
    keeper_->give_back(std::exchange(bytes_, 0), std::exchange(on_disk_, 0));
    keeper_->usage_.published += blob.size;
  }
  if (keeper_->policy_->add(blob)) return;
  const std::lock_guard lock(keeper_->mutex_);
  keeper_->usage_.published = minus(keeper_->usage_.published, blob.size);
}

}  // namespace archway::cache
