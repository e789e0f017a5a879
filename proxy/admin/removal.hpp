#pragma once

#include "cache/index.hpp"
#include "proxy/admin/image_name.hpp"
#include "resolver/model/digest.hpp"

#include <set>
#include <vector>

namespace archway::proxy {

/// What goes when an image goes.
struct Removal {
  std::vector<Tag> tags = {};
  std::set<Digest> grants = {};        ///< what the name no longer holds
  std::vector<Digest> manifests = {};  ///< of those, what no other name holds
  std::vector<Digest> blobs = {};      ///< the same; here

  bool is_nothing() const { return tags.empty() && grants.empty(); }
};

/// With a tag: that one and what it leads to. With a digest: what that leads to, and the tags that
/// mean it. With neither: all that the name holds. What the name's other tags and pins lead to
/// stays, and so does what another name holds.
///
/// Threads: any; its time depends on how many tags and grants there are.
Removal plan_removal(const cache::Index& index, const NamedImage& image);

/// The same as a commit, but for the blobs: those go by Cache::remove().
cache::Changes changes_for(const ImageName& image, Removal removal);

}  // namespace archway::proxy
