#pragma once

#include "tests/bench/eviction_trace.hpp"

#include <cstdint>

namespace archway::bench {

/// Of what is asked for, the part that is there.
struct HitRatio {
  double requests = 0;  ///< 0 to 1
  double bytes = 0;     ///< 0 to 1
};

/// A cache that knows the future and always lets go what is asked for last (Belady's rule), or does
/// not take it in at all. The best there is for blobs of one size; with sizes only very good.
HitRatio farthest_goes_first(const Trace& trace, std::uint64_t capacity);

/// What a cache could have that knows the future and the sizes: the hits that cost the least bytes
/// × time for what they bring, one after the other as long as there is room for each in all its
/// time (PFOO-L). The two ratios are those of two such caches.
///
/// Source: Berger, Beckmann, Harchol-Balter, "Practical Bounds on Optimal Caching with Variable
/// Object Sizes", SIGMETRICS '18.
HitRatio within_reach(const Trace& trace, std::uint64_t capacity);

/// No policy can have more. Each hit occupies the blob's bytes from one request for it to the next;
/// the hits that cost the least bytes × time for what they bring are counted until all the cache's
/// bytes × time are used up, wherever in time they lie. The two ratios are two such sums.
HitRatio upper_bound(const Trace& trace, std::uint64_t capacity);

}  // namespace archway::bench
