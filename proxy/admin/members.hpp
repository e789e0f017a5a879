#pragma once

#include "proxy/pull/parts.hpp"
#include "resolver/model/virtual_image.hpp"

#include <boost/asio/awaitable.hpp>
#include <string>
#include <vector>

namespace archway::proxy {

/// A member of a virtual image that cannot be had now.
struct MissingMember {
  VirtualImage::Member member;
  std::string why;
};

/// Looks for every member as a client of its platform would, all at once and for half a minute at
/// most. One that has whatever tag is asked for is there when its repository has tags.
boost::asio::awaitable<std::vector<MissingMember>> find_missing(PullParts* parts,
                                                                VirtualImage image);

}  // namespace archway::proxy
