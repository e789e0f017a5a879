#pragma once

#include "proxy/command/gateway.hpp"
#include "proxy/command/manifest_fetch.hpp"
#include "resolver/manifest.hpp"

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>
#include <vector>

namespace archway::proxy {

/// What an image consists of, for the platforms that were asked for.
struct PulledImage {
  GatewayImage name;
  FetchedManifest top;                      ///< what the name leads to, byte for byte
  std::vector<FetchedManifest> below = {};  ///< of an index: those of its manifests, nested too
  std::vector<Descriptor> blobs = {};       ///< configs and layers, each once
  std::vector<std::string> platforms = {};  ///< whose images are among them
  std::vector<std::string> not_there = {};  ///< platforms that were asked for and are not there
  std::vector<std::string> left_out = {};   ///< entries that the gateway may not hand out, and why
};

/// Which entries of an index a machine of this platform would take first; none when nothing runs
/// there. What an index within this one holds is not known here.
///
/// Source: as resolver::ladder().
std::optional<Descriptor> entry_for(const resolver::Manifest& index, const Platform& platform);

/// Fetches the manifests of an image: all of them when no platform is named (attestations too),
/// else the best entry of its index for each. An image that is no index is what it is.
///
/// Errors: Registry's; Errc::manifest_invalid for manifests that cannot be read, with the image's
/// name; Errc::manifest_unknown when none of the platforms is there.
boost::asio::awaitable<Result<PulledImage>> fetch_image(Registry* registry, GatewayImage name,
                                                        std::vector<Platform> platforms);

}  // namespace archway::proxy
