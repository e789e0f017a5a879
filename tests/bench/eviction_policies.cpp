#include "tests/bench/eviction_policies.hpp"

#include "cache/eviction.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <iterator>
#include <list>
#include <optional>
#include <type_traits>

namespace archway::bench {
namespace {

struct Held {
  std::uint64_t size = 0;
  bool here = false;
  std::uint8_t hits = 0;
  std::list<std::uint32_t>::iterator at = {};
};

/// One queue, the newest in front.
class Queue : public Policy {
 public:
  explicit Queue(std::size_t blobs) : held_(blobs) {}

  bool ask(std::uint32_t blob) final {
    if (held_[blob].here) note(blob);
    return held_[blob].here;
  }

  void add(std::uint32_t blob, std::uint64_t size) final {
    queue_.push_front(blob);
    held_[blob] = {.size = size, .here = true, .at = queue_.begin()};
  }

  std::uint64_t evict() final {
    const auto blob = choose();
    held_[blob].here = false;
    queue_.erase(held_[blob].at);
    return held_[blob].size;
  }

 protected:
  virtual void note(std::uint32_t blob) = 0;
  virtual std::uint32_t choose() = 0;

  std::vector<Held> held_;
  std::list<std::uint32_t> queue_;
};

class Fifo final : public Queue {
 public:
  using Queue::Queue;

 private:
  void note(std::uint32_t) override {}
  std::uint32_t choose() override { return queue_.back(); }
};

class Lru final : public Queue {
 public:
  using Queue::Queue;

 private:
  void note(std::uint32_t blob) override { queue_.splice(queue_.begin(), queue_, held_[blob].at); }
  std::uint32_t choose() override { return queue_.back(); }
};

/// A hand moves from the oldest to the newest and takes the first that had no hit since it passed.
class Sieve final : public Queue {
 public:
  using Queue::Queue;

 private:
  void note(std::uint32_t blob) override { held_[blob].hits = 1; }

  std::uint32_t choose() override {
    auto blob = hand_.value_or(queue_.back());
    while (held_[blob].hits != 0) {
      held_[blob].hits = 0;
      blob = newer(blob).value_or(queue_.back());
    }
    hand_ = newer(blob);
    return blob;
  }

  std::optional<std::uint32_t> newer(std::uint32_t blob) const {
    const auto at = held_[blob].at;
    if (at == queue_.begin()) return std::nullopt;
    return *std::prev(at);
  }

  std::optional<std::uint32_t> hand_;
};

/// SIEVE made size-aware as archway's policy is: one hand in each of the divisions by size, and the
/// blob that is at hand goes first, or is spared, whose age and size together weigh the most.
class SieveBySize final : public Policy {
 public:
  explicit SieveBySize(std::size_t blobs) : held_(blobs), since_(blobs) {}

  bool ask(std::uint32_t blob) override {
    held_[blob].hits = 1;
    return held_[blob].here;
  }

  void add(std::uint32_t blob, std::uint64_t size) override {
    auto& queue = divisions_[division_of(size)].queue;
    queue.push_front(blob);
    held_[blob] = {.size = size, .here = true, .at = queue.begin()};
    since_[blob] = ++added_;
    bytes_ += size;
    ++count_;
  }

  std::uint64_t evict() override {
    for (;;) {
      auto& division = *foremost();
      const auto blob = at_hand(division);
      auto& held = held_[blob];
      division.hand.reset();
      if (held.at != division.queue.begin()) division.hand = *std::prev(held.at);
      if (held.hits != 0) {
        held.hits = 0;
        since_[blob] = added_;
        continue;
      }
      division.queue.erase(held.at);
      held.here = false;
      bytes_ -= held.size;
      --count_;
      return held.size;
    }
  }

 private:
  struct Division {
    std::list<std::uint32_t> queue = {};
    std::optional<std::uint32_t> hand = {};
  };

  static std::size_t division_of(std::uint64_t size) {
    return static_cast<std::size_t>(std::bit_width(size)) / 2;
  }
  static std::uint32_t at_hand(const Division& division) {
    return division.hand.value_or(division.queue.back());
  }

  Division* foremost() {
    const double small = 4 * static_cast<double>(bytes_) / static_cast<double>(count_);
    Division* best = nullptr;
    double most = -1;
    for (auto& division : divisions_) {
      if (division.queue.empty()) continue;
      const auto blob = at_hand(division);
      const auto size = static_cast<double>(held_[blob].size);
      const double weight = static_cast<double>(added_ - since_[blob] + 1) * size / (size + small);
      if (weight > most) best = &division;
      most = std::max(most, weight);
    }
    return best;
  }

  std::vector<Held> held_;
  std::vector<std::uint64_t> since_;  // For each blob, what added_ was when its age began.
  std::array<Division, 33> divisions_;
  std::uint64_t added_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t count_ = 0;
};

/// Small queue a tenth of the bytes, ghosts for nine tenths; more than one hit moves a blob to the
/// main queue.
class S3Fifo final : public Policy {
 public:
  S3Fifo(std::size_t blobs, std::uint64_t capacity)
      : capacity_(capacity), held_(blobs), ghosts_(blobs) {}

  bool ask(std::uint32_t blob) override {
    auto& held = held_[blob];
    if (held.here && held.hits < 3) ++held.hits;
    return held.here;
  }

  void add(std::uint32_t blob, std::uint64_t size) override {
    held_[blob] = {.size = size, .here = true};
    auto& ghost = ghosts_[blob];
    push(blob, ghost && evicted_ - *ghost <= capacity_ / 10 * 9 ? main_ : small_);
    ghost.reset();
  }

  std::uint64_t evict() override {
    for (;;) {
      const bool from_small = small_.bytes > capacity_ / 10 || main_.blobs.empty();
      const auto blob = pop(from_small ? small_ : main_);
      auto& held = held_[blob];
      if (from_small ? held.hits <= 1 : held.hits == 0) {
        held.here = false;
        if (from_small) ghosts_[blob] = evicted_;
        if (from_small) evicted_ += held.size;
        return held.size;
      }
      held.hits = from_small ? 0 : static_cast<std::uint8_t>(held.hits - 1);
      push(blob, main_);
    }
  }

 private:
  struct Part {
    std::list<std::uint32_t> blobs = {};
    std::uint64_t bytes = 0;
  };

  void push(std::uint32_t blob, Part& part) {
    part.blobs.push_front(blob);
    part.bytes += held_[blob].size;
  }
  std::uint32_t pop(Part& part) {
    const auto blob = part.blobs.back();
    part.blobs.pop_back();
    part.bytes -= held_[blob].size;
    return blob;
  }

  std::uint64_t capacity_;
  std::vector<Held> held_;
  std::vector<std::optional<std::uint64_t>> ghosts_;  // How much had been evicted when it went.
  std::uint64_t evicted_ = 0;                         // Bytes, out of the small queue.
  Part small_;
  Part main_;
};

class Archway final : public Policy {
 public:
  explicit Archway(std::size_t blobs) : here_(blobs) {}

  bool ask(std::uint32_t blob) override {
    if (here_[blob]) eviction_.hit(digest_of(blob));
    return here_[blob];
  }
  void add(std::uint32_t blob, std::uint64_t size) override {
    here_[blob] = true;
    eviction_.add({.digest = digest_of(blob), .size = size});
  }
  std::uint64_t evict() override {
    const auto victim = eviction_.victim([](const Digest&) { return true; });
    here_[number_of(victim->digest)] = false;
    return victim->size;
  }

 private:
  // Spread like a hash, and the number can be read from it again.
  static Digest digest_of(std::uint32_t blob) {
    std::array<std::uint8_t, 32> hash{};
    auto mixed = (blob + 1) * std::uint64_t{0x9e3779b97f4a7c15};
    for (std::size_t i = 0; i < 16; ++i, mixed = (mixed ^ mixed >> 29) * 0xbf58476d1ce4e5b9) {
      hash[i] = static_cast<std::uint8_t>(mixed >> 32);
    }
    for (std::size_t i = 0; i < 4; ++i) hash[28 + i] = static_cast<std::uint8_t>(blob >> 8 * i);
    return *Digest::of(Digest::Algorithm::sha256, hash);
  }
  static std::uint32_t number_of(const Digest& digest) {
    std::uint32_t blob = 0;
    for (std::size_t i = 4; i-- > 0;) blob = blob << 8 | digest.bytes()[28 + i];
    return blob;
  }

  std::vector<bool> here_;
  cache::Eviction eviction_;
};

template <class Kind>
std::unique_ptr<Policy> make(std::size_t blobs, std::uint64_t capacity) {
  if constexpr (std::is_constructible_v<Kind, std::size_t, std::uint64_t>) {
    return std::make_unique<Kind>(blobs, capacity);
  } else {
    return std::make_unique<Kind>(blobs);
  }
}

}  // namespace

const std::vector<Contender>& contenders() {
  static const std::vector<Contender> all{
      {"FIFO", make<Fifo>},      {"LRU", make<Lru>},
      {"SIEVE", make<Sieve>},    {"SIEVE, size-aware", make<SieveBySize>},
      {"S3-FIFO", make<S3Fifo>}, {"archway", make<Archway>}};
  return all;
}

}  // namespace archway::bench
