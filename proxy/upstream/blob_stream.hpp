#pragma once

#include "metrics/metrics.hpp"
#include "proxy/upstream/exchange.hpp"
#include "proxy/upstream/registry.hpp"
#include "resolver/model/result.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace archway::proxy {

/// `bytes 200-999/1000`. Source: RFC 9110 section 14.4.
struct ContentRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::optional<std::uint64_t> total = {};
};

/// None for anything else than one satisfied byte range that makes sense.
std::optional<ContentRange> read_content_range(std::string_view text);

/// The stream of a 200 or 206 answer to a request for the bytes from `offset` on; for so many of
/// them, where `length` says so.
///
/// Errors: Errc::upstream_failed when the answer is to another question.
Result<std::unique_ptr<BlobStream>> blob_stream(Answer answer, std::uint64_t offset,
                                                std::string upstream, metrics::Metrics* metrics,
                                                std::optional<std::uint64_t> length = {});

}  // namespace archway::proxy
