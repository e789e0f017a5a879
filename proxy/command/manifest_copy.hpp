#pragma once

#include "proxy/command/manifest_fetch.hpp"
#include "proxy/upstream/pusher.hpp"

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace archway::proxy {

/// The blobs that a manifest needs beside it: config first, then the layers, each once. Those that
/// no registry may hand on (Windows base layers of old) are left out: clients get them elsewhere.
///
/// Source: OCI Image Spec v1.1, layer.md, "Non-Distributable Layers"; Docker schema 2, "foreign".
std::vector<Descriptor> blobs_to_copy(const resolver::Manifest& manifest);

/// What was done; kept also when a later step fails.
struct CopyTally {
  std::vector<Digest> pushed = {};  ///< manifests that the target did not have
  std::size_t present = 0;          ///< blobs that the target had
  std::size_t mounted = 0;
  std::size_t copied = 0;
  std::uint64_t bytes = 0;  ///< of the copied ones
};

/// One image's way from a repository to another, maybe on another registry. All pointers outlive
/// the copying.
struct CopyJob {
  ImageName from;
  Registry* registry = nullptr;  ///< of `from`
  ImageName to;
  Pusher* pusher = nullptr;  ///< of `to`
  CopyTally* tally = nullptr;
  std::function<void(const std::string&)> show = {};  ///< told what is going on; may be empty
};

/// Sees to it that the target repository has this manifest: when it lacks it, first its blobs (for
/// an index its entries, four levels deep) and then the manifest itself, by its digest. Blobs are
/// mounted where both repositories are on one registry, else they go through this program, checked
/// on the way.
///
/// Errors: Registry's and Pusher's, the message naming what could not be copied from where to
/// where.
boost::asio::awaitable<Result<void>> copy_manifest(const CopyJob* job, Digest digest,
                                                   int depth = 0);

}  // namespace archway::proxy
