#pragma once

#include "resolver/model/result.hpp"
#include "resolver/model/virtual_image.hpp"
#include "resolver/upstream_of.hpp"

#include <boost/json/value.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace archway::proxy {

/// A virtual image's name, `NAME[:TAG]`, of a configured upstream.
struct VirtualName {
  ImageName name;
  std::optional<Tag> tag = {};  ///< none: every tag
};

/// Errors: as read_known_image(); Errc::name_invalid for a digest.
Result<VirtualName> read_virtual_name(std::string_view text, const resolver::UpstreamNames& names);

/// The members `PLATFORM=IMAGE` of an image, checked as the configuration is: known upstreams, no
/// platform twice, 1 to virtual_members_max of them.
///
/// Errors: Errc::request_invalid; the message says which member and what is wrong with it.
Result<std::vector<VirtualImage::Member>> read_members(const std::vector<std::string>& texts,
                                                       const resolver::UpstreamNames& names);

/// What is wrong with an image among those there are: members are fetched from their upstreams, so
/// what has an index here only cannot be one (but a name may stand for itself, as it is published).
/// "" : nothing.
std::string why_nested(const VirtualImage& image, const std::vector<VirtualImage>& others);

/// Where a member is published: `docker.io/me/app`, with `:tag` or `@digest` where one was said.
std::string place_of(const VirtualImage::Member& member);

/// `{"name","tag","configured","members":[{"platform","image"}]}`.
boost::json::value virtual_image_json(const VirtualImage& image, bool configured);

}  // namespace archway::proxy
