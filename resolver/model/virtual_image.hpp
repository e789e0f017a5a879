#pragma once

#include "resolver/model/name.hpp"
#include "resolver/model/platform.hpp"

#include <optional>
#include <string>
#include <vector>

namespace archway {

inline constexpr std::size_t virtual_members_max = 32;

/// One name for what was published under several: archway makes the index itself.
struct VirtualImage {
  struct Member {
    Platform platform;                        ///< what the member is for, normal
    ImageName image;                          ///< where it is published
    std::optional<Reference> reference = {};  ///< none: the tag that is asked for

    friend bool operator==(const Member&, const Member&) = default;
  };

  ImageName name;
  std::optional<Tag> tag = {};  ///< none: every tag
  std::vector<Member> members;  ///< in the order of the index; no platform twice

  /// `docker.io/username/test`, with `:tag` where there is one.
  std::string str() const { return name.str() + (tag ? ":" + tag->str() : std::string()); }

  friend bool operator==(const VirtualImage&, const VirtualImage&) = default;
};

}  // namespace archway
