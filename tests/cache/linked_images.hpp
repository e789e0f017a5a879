#pragma once

#include "cache/pins.hpp"
#include "tests/cache/support.hpp"

#include <cstddef>
#include <cstdint>
#include <doctest/doctest.h>
#include <memory>
#include <string>
#include <vector>

/// Images that lead to one another, in an index.
namespace archway::cache::testing {

inline Digest number_digest(std::uint32_t i) {
  return testing::digest_of(testing::bytes_of(8, i));
}

/// Here a manifest's bytes are what it leads to, one digest a line.
inline std::vector<Digest> lines(const ManifestRecord& manifest) {
  std::vector<Digest> digests;
  for (std::size_t at = 0; at < manifest.bytes.size();) {
    const auto end = manifest.bytes.find('\n', at);
    digests.push_back(*Digest::parse(manifest.bytes.substr(at, end - at)));
    at = end + 1;
  }
  return digests;
}

inline ManifestRecord leading_to(const std::vector<std::uint32_t>& numbers) {
  ManifestRecord manifest{.media_type = "m", .bytes = ""};
  for (const auto i : numbers) manifest.bytes += number_digest(i).str() + "\n";
  return manifest;
}

/// 1 is an index of the manifests 2 and 3 (which is not here) and itself; 2 has the blobs 20 and
/// 21. 5 is a manifest with the blob 50.
struct LinkedImages {
  LinkedImages() : index(*Index::open(dir.path())) {
    REQUIRE(commit(*index, {.tags = {{{image("a"), tag("t")}, {.digest = number_digest(1)}},
                                     {{image("b"), tag("t")}, {.digest = number_digest(5)}}},
                            .manifests = {{number_digest(1), leading_to({2, 3, 1})},
                                          {number_digest(2), leading_to({20, 21})},
                                          {number_digest(5), leading_to({50})}}}));
  }
  std::vector<std::uint32_t> protected_by(Pins& pins) const {
    pins.refresh();
    std::vector<std::uint32_t> found;
    for (const std::uint32_t i : {1U, 2U, 3U, 5U, 20U, 21U, 50U}) {
      if (pins.protects(number_digest(i))) found.push_back(i);
    }
    return found;
  }

  testing::TempDir dir;
  std::unique_ptr<Index> index;
};

}  // namespace archway::cache::testing
