#pragma once

#include "proxy/upstream/registry.hpp"
#include "resolver/image_reference.hpp"
#include "resolver/manifest.hpp"

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <string>

namespace archway::proxy {

/// A manifest or index as its registry has it; the bytes match the digest.
struct FetchedManifest {
  Digest digest;
  std::string media_type;
  std::string bytes;
  resolver::Manifest manifest;
};

/// Asks for a manifest and checks its bytes against the digest that was asked for, else against the
/// one that the registry names.
///
/// Errors: Registry's; Errc::upstream_failed for other bytes.
boost::asio::awaitable<Result<FetchedManifest>> fetch_manifest(Registry* registry,
                                                               Repository repository,
                                                               Reference reference);

/// What the config of an image says it runs on, letter for letter; all empty when it says nothing
/// that can be used.
///
/// Errors: Registry's; Errc::upstream_failed for bytes that do not match their digest or are more
/// than a manifest may have.
boost::asio::awaitable<Result<Platform>> fetch_platform(Registry* registry, Repository repository,
                                                        Descriptor config);

/// Bytes that a manifest names: its config and layers, or its entries.
std::uint64_t size_of_parts(const resolver::Manifest& manifest);

/// True for an entry of an index that speaks about another one instead of being an image.
bool is_attestation(const Descriptor& entry);

/// True when the text says which of a repository's images it means, by a tag or a digest.
bool names_version(std::string_view image);

/// The image as a gateway at `gateway` (HOST:PORT) is asked for it: the registry becomes the first
/// part of the path.
///
/// Errors: Errc::name_invalid for a registry with a port: a path has no place for that.
Result<resolver::ImageReference> through_gateway(const resolver::ImageReference& image,
                                                 const std::string& gateway);

}  // namespace archway::proxy
