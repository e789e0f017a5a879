#include "tests/bench/eviction_optimum.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <iterator>
#include <limits>
#include <set>
#include <utility>
#include <vector>

namespace archway::bench {
namespace {

constexpr std::size_t never = std::numeric_limits<std::size_t>::max();

/// For each request, when its blob is asked for again.
std::vector<std::size_t> next_uses(const Trace& trace) {
  std::vector<std::size_t> next(trace.asked.size());
  std::vector<std::size_t> later(trace.sizes.size(), never);
  for (std::size_t at = trace.asked.size(); at-- > 0;) {
    next[at] = std::exchange(later[trace.asked[at]], at);
  }
  return next;
}

double bytes_asked(const Trace& trace) {
  double bytes = 0;
  for (const auto blob : trace.asked) bytes += static_cast<double>(trace.sizes[blob]);
  return bytes;
}

/// A hit that could be: the blob would have to be held between two requests.
struct Chance {
  std::size_t from;
  std::size_t to;
  std::uint64_t size;

  double time() const { return static_cast<double>(to - from); }
  double cost() const { return time() * static_cast<double>(size); }
};

std::vector<Chance> chances_of(const Trace& trace, std::uint64_t capacity) {
  const auto next = next_uses(trace);
  std::vector<Chance> chances;
  for (std::size_t at = 0; at < next.size(); ++at) {
    const auto size = trace.sizes[trace.asked[at]];
    if (next[at] != never && size <= capacity) chances.push_back({at, next[at], size});
  }
  return chances;
}

/// Those first that cost the least for one hit more.
void sort_for_requests(std::vector<Chance>& chances) {
  std::stable_sort(chances.begin(), chances.end(),
                   [](const Chance& a, const Chance& b) { return a.cost() < b.cost(); });
}

/// Those first that cost the least for one byte more: what counts is how long it is held.
void sort_for_bytes(std::vector<Chance>& chances) {
  std::stable_sort(chances.begin(), chances.end(),
                   [](const Chance& a, const Chance& b) { return a.time() < b.time(); });
}

/// How many of them can be had with so much bytes × time, the first ones first.
std::size_t affordable(const std::vector<Chance>& chances, double budget) {
  std::size_t count = 0;
  for (double spent = 0; count < chances.size(); ++count) {
    spent += chances[count].cost();
    if (spent > budget) break;
  }
  return count;
}

/// How full a cache is at each moment: a tree over time that adds to a span and tells its peak.
class Fullness {
 public:
  explicit Fullness(std::size_t moments) : leaves_(std::bit_ceil(moments)), nodes_(leaves_ * 2) {}

  std::uint64_t peak(const Chance& span) const { return peak(1, 0, leaves_, span); }
  void add(const Chance& span) { add(1, 0, leaves_, span); }

 private:
  struct Node {
    std::uint64_t peak = 0;        // In its span, without what `everywhere` above it says.
    std::uint64_t everywhere = 0;  // In all of its span; part of its own peak already.
  };

  std::uint64_t peak(std::size_t node, std::size_t begin, std::size_t end,
                     const Chance& span) const {
    if (span.to <= begin || end <= span.from) return 0;
    if (span.from <= begin && end <= span.to) return nodes_[node].peak;
    const auto middle = begin + (end - begin) / 2;
    return nodes_[node].everywhere +
           std::max(peak(node * 2, begin, middle, span), peak(node * 2 + 1, middle, end, span));
  }

  void add(std::size_t node, std::size_t begin, std::size_t end, const Chance& span) {
    if (span.to <= begin || end <= span.from) return;
    if (span.from <= begin && end <= span.to) {
      nodes_[node].peak += span.size;
      nodes_[node].everywhere += span.size;
      return;
    }
    const auto middle = begin + (end - begin) / 2;
    add(node * 2, begin, middle, span);
    add(node * 2 + 1, middle, end, span);
    nodes_[node].peak =
        nodes_[node].everywhere + std::max(nodes_[node * 2].peak, nodes_[node * 2 + 1].peak);
  }

  std::size_t leaves_;
  std::vector<Node> nodes_;
};

HitRatio sum_of_fitting(const Trace& trace, const std::vector<Chance>& chances,
                        std::uint64_t capacity) {
  Fullness fullness(trace.asked.size());
  HitRatio sum;
  for (const auto& chance : chances) {
    if (fullness.peak(chance) + chance.size > capacity) continue;
    fullness.add(chance);
    sum.requests += 1;
    sum.bytes += static_cast<double>(chance.size);
  }
  return sum;
}

}  // namespace

HitRatio farthest_goes_first(const Trace& trace, std::uint64_t capacity) {
  const auto next = next_uses(trace);
  std::set<std::pair<std::size_t, std::uint32_t>> held;  // By next use.
  std::uint64_t used = 0;
  HitRatio hits;
  for (std::size_t at = 0; at < next.size(); ++at) {
    const auto blob = trace.asked[at];
    const auto size = trace.sizes[blob];
    if (held.erase({at, blob}) != 0) {
      hits.requests += 1;
      hits.bytes += static_cast<double>(size);
      used -= size;
    }
    if (next[at] == never || size > capacity) continue;
    held.emplace(next[at], blob);
    used += size;
    while (used > capacity) {
      const auto last = std::prev(held.end());
      used -= trace.sizes[last->second];
      held.erase(last);
    }
  }
  return {.requests = hits.requests / static_cast<double>(trace.asked.size()),
          .bytes = hits.bytes / bytes_asked(trace)};
}

HitRatio within_reach(const Trace& trace, std::uint64_t capacity) {
  auto chances = chances_of(trace, capacity);
  sort_for_requests(chances);
  const auto by_requests = sum_of_fitting(trace, chances, capacity);
  sort_for_bytes(chances);
  const auto by_bytes = sum_of_fitting(trace, chances, capacity);
  return {.requests = by_requests.requests / static_cast<double>(trace.asked.size()),
          .bytes = by_bytes.bytes / bytes_asked(trace)};
}

HitRatio upper_bound(const Trace& trace, std::uint64_t capacity) {
  const auto requests = static_cast<double>(trace.asked.size());
  const double budget = static_cast<double>(capacity) * requests;
  auto chances = chances_of(trace, capacity);
  HitRatio bound;

  // The first that cannot be had whole counts as if it could: a bound errs upwards.
  sort_for_requests(chances);
  bound.requests =
      static_cast<double>(std::min(affordable(chances, budget) + 1, chances.size())) / requests;

  sort_for_bytes(chances);
  const auto count = std::min(affordable(chances, budget) + 1, chances.size());
  for (std::size_t i = 0; i < count; ++i) bound.bytes += static_cast<double>(chances[i].size);
  bound.bytes /= bytes_asked(trace);
  return bound;
}

}  // namespace archway::bench
