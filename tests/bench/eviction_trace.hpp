#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace archway::bench {

/// What a registry in front of a company's machines is asked for; blobs are numbered from 0.
struct Trace {
  std::vector<std::uint64_t> sizes;  ///< of each blob, bytes
  std::vector<std::uint32_t> asked;  ///< one blob after the other
  std::uint64_t working_set = 0;     ///< bytes of all blobs that are asked for at least once
};

/// How much of it; what it is made of does not change with it.
struct TraceShape {
  std::uint64_t seed = 1;
  std::size_t events = 40'000;  ///< pulls by one client, rollouts, and published tags
};

/// The same shape gives the same trace, everywhere.
///
/// - Images have a popularity by Zipf's law; each stands on one of a few bases, popular by Zipf as
///   well, and has a config and some layers of its own. Layers have log-normal sizes from 1 KiB to
///   2 GiB: bases large, what is installed on them middling, the program on top small.
/// - Now and then an image gets a new tag: config and top are new, sometimes what lies below, the
///   base stays; seldom a base is renewed, and an image takes it with its next tag.
/// - A pull asks for the config and every layer, mostly of the newest tag. Clients come alone or in
///   bursts: a rollout is 20 machines that pull one image, mixed with everything else.
/// - Once somebody pulls all there is, every tag of every image, beside the daily traffic.
///
/// Source of the proportions: Anwar et al., "Improving Docker Registry Design Based on Production
/// Workload Analysis", FAST '18 (small layers in number, large ones in bytes; a few layers have
/// most requests; pulls come in bursts).
Trace make_trace(const TraceShape& shape);

}  // namespace archway::bench
