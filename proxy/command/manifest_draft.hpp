#pragma once

#include "resolver/image_reference.hpp"
#include "resolver/model/descriptor.hpp"

#include <boost/json/object.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace archway::proxy {

/// One manifest of an index that is being made.
struct DraftEntry {
  resolver::ImageReference source;  ///< what it was taken from, in full; an index brings several
  std::string media_type;
  Digest digest;
  std::uint64_t size = 0;
  std::optional<Platform> platform = {};  ///< letter for letter as config or index have it
  boost::json::object others = {};        ///< annotations and whatever else its index says of it
};

/// An index that is being made: kept on this machine until it is pushed.
struct Draft {
  resolver::ImageReference target;  ///< by a tag
  std::vector<DraftEntry> entries = {};
};

/// What is stated about an entry in place of what its config says; what is empty stays.
struct Annotation {
  std::string os = {};
  std::string architecture = {};
  std::string variant = {};
  std::string os_version = {};
  std::vector<std::string> os_features = {};
};

/// The draft as a JSON file that people can read.
std::string draft_text(const Draft& draft);

/// Errors: Errc::manifest_invalid, saying what is wrong with the text.
Result<Draft> read_draft(std::string_view text);

/// Takes these entries in. Those that came from the same sources before make room for them: the new
/// ones stand where the first of the old ones stood.
void amend(Draft& draft, std::vector<DraftEntry> entries);

/// States the platform of the entry that came from `source`, or has its digest.
///
/// Errors: Errc::manifest_unknown when there is none, naming those there are; Errc::request_invalid
/// when the source brought several (to be named by digest), and Errc::platform_invalid.
Result<void> annotate(Draft& draft, const resolver::ImageReference& source,
                      const Annotation& annotation);

/// Platforms that more than one image entry is for: clients take the first of them.
std::vector<std::string> doubled_platforms(const Draft& draft);

/// True when an index may hold the entry as it is: it names its system and architecture, or is no
/// image that is chosen by them.
bool has_platform(const DraftEntry& entry);

}  // namespace archway::proxy
