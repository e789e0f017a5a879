#pragma once

#include "proxy/command/manifest_fetch.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace archway::proxy {

/// What is known of one entry of an index beyond what the index says.
struct EntryFacts {
  std::optional<std::uint64_t> bytes = {};  ///< config and layers together
  std::string note = {};  ///< in place of the size: "missing", "an index", …; "" : nothing to say
  std::string cached = {};  ///< yes, partly, no; "" : no gateway said it
};

/// A manifest or index as `archway manifest inspect` shows it.
struct Inspection {
  std::string name;  ///< the image in full, as it was asked for
  FetchedManifest document;
  std::vector<EntryFacts> entries = {};   ///< of an index, in its order; empty: nobody looked
  std::optional<Platform> platform = {};  ///< of a single manifest: what its config says
  std::string cached = {};                ///< of a single manifest: yes, partly, no; "" : not said
};

/// For people: what it is, then the images of an index with platform, digest, size and, where a
/// gateway said it, whether it has them; attestations apart. A manifest's own parts in their order.
/// Without a terminal only the rows.
std::string inspection_table(const Inspection& inspection, bool terminal);

/// The document that `docker manifest inspect` prints for the same bytes, member for member: of an
/// index schemaVersion, mediaType and the entries' mediaType, size, digest and platform; a single
/// manifest as it is. `verbose` adds `digest` to an index, and `imageSize` and `cached` to its
/// entries; a single manifest comes inside an object that says so.
///
/// Errors: Errc::manifest_invalid for what is no JSON.
Result<std::string> inspection_json(const Inspection& inspection, bool verbose);

}  // namespace archway::proxy
