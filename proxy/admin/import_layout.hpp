#pragma once

#include "cache/cache.hpp"
#include "proxy/admin/chore.hpp"
#include "resolver/upstream_of.hpp"

#include <boost/json/object.hpp>
#include <filesystem>
#include <string>

namespace archway::proxy {

/// What is to be imported, and where to.
struct ImportJob {
  cache::Cache* cache = nullptr;
  const resolver::UpstreamNames* names = nullptr;  ///< the configured upstreams
  std::filesystem::path directory = {};            ///< an OCI image layout
  std::string as = {};  ///< the image's name, where the layout holds one image; "" : as it is named
};

/// Puts the images of an OCI image layout into the cache, as if they had been pulled: tags, grants,
/// manifests, blobs. Everything is verified: digests, sizes, and that whatever a manifest names is
/// there; of an index those manifests may be absent that are for other platforms. An image is
/// named by its annotation `io.containerd.image.name`.
///
/// `{"images":[{"name","digest","manifests","blobs","absent"}],"bytes"}`: `bytes` are those that
/// the cache did not have.
///
/// Errors: Errc::request_invalid for what is no layout, is damaged or incomplete, or names an image
/// of no configured upstream: the message says which, and nothing of that image is in the cache
/// then but verified blobs; Errc::storage_failed. Blocks on the disk.
///
/// Source: OCI Image Spec v1.1, image-layout.md.
Result<boost::json::object> import_layout(const ImportJob& job, const Chore::Progress& progress);

}  // namespace archway::proxy
