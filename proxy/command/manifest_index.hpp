#pragma once

#include "proxy/command/manifest_draft.hpp"
#include "proxy/command/manifest_fetch.hpp"

#include <boost/asio/awaitable.hpp>
#include <string>
#include <vector>

namespace archway::proxy {

/// The entries of an index, all of them, attestations too: each with what the index says of it.
///
/// Errors: Errc::manifest_invalid for an index that two readers could read differently.
Result<std::vector<DraftEntry>> entries_of_index(const FetchedManifest& index,
                                                 const resolver::ImageReference& source);

/// What a source brings into a draft: a single image with the platform that its config states, or
/// the entries of an index.
///
/// Errors: Registry's; Errc::manifest_invalid for what no index can name, like schema 1.
boost::asio::awaitable<Result<std::vector<DraftEntry>>> entries_of_source(
    Registry* registry, resolver::ImageReference source);

/// An index as it goes to a registry.
struct IndexDocument {
  std::string media_type;
  std::string bytes;
  Digest digest;  ///< sha256
};

/// The index that a draft describes, always the same bytes for the same draft. Of the OCI kind,
/// unless every entry is of Docker's kinds or `docker_list` is set.
///
/// Errors: Errc::request_invalid for a draft without entries, or with one that has no platform;
/// Errc::manifest_invalid over the bound on manifests.
///
/// Source: OCI Image Spec v1.1, image-index.md; Docker Image Manifest V2, Schema 2.
Result<IndexDocument> index_of(const Draft& draft, bool docker_list);

}  // namespace archway::proxy
