#pragma once

#include <string_view>
#include <vector>

namespace archway::resolver {

/// One media range of an Accept header, e.g. `application/*;q=0.5`; a view into the header.
struct MediaRange {
  std::string_view type;  ///< as written, without parameters
  bool refused = false;   ///< `q=0`: the client says that it does not take it
};

/// Every range of every line; dockerd sends six lines, containerd one. Weights are not compared:
/// no registry client means them. Pieces that are no media range are left out.
///
/// Source: RFC 9110 section 12.5.1.
std::vector<MediaRange> read_accept(const std::vector<std::string_view>& lines);

/// True when a range names `type` itself or, with a wildcard, everything or its family.
bool accepts(const std::vector<MediaRange>& ranges, std::string_view type);

}  // namespace archway::resolver
