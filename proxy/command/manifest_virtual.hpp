#pragma once

#include "proxy/command/admin_answer.hpp"
#include "proxy/command/manifest_create.hpp"
#include "resolver/image_reference.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace archway::proxy {

/// One member of a virtual image as the command line names it.
struct WantedMember {
  std::optional<Platform> platform = {};  ///< none: its config says it
  resolver::ImageReference image;
  bool any_tag = false;  ///< neither tag nor digest was written: the tag that is asked for counts

  /// `docker.io/username/test`, with its tag or digest where one was written.
  std::string name() const;
};

/// Reads `PLATFORM=IMAGE` or `IMAGE`. Errors: Errc::platform_invalid, Errc::name_invalid,
/// Errc::digest_invalid.
Result<WantedMember> parse_member(std::string_view text);

/// `PUT` is sent to this target of the admin API:
/// `/api/v1/images/NAME[:TAG]?member=PLATFORM=IMAGE`, a member once for each.
std::string virtual_image_target(const std::string& name, const std::vector<WantedMember>& members,
                                 bool strict);

/// What a gateway says of a virtual image that it took.
struct VirtualAnswer {
  struct Missing {
    std::string platform;
    std::string image;
    std::string why;
  };
  std::string digest =
      {};  ///< of the index; "" for an image of every tag, or while none can be made
  std::vector<Missing> missing = {};
};

/// Errors: Errc::request_invalid for a refusal, with the gateway's own words and what is missing.
Result<VirtualAnswer> read_virtual_answer(const AdminAnswer& answer);

/// `archway manifest create --virtual`: the gateway behind the admin port keeps the index. Members
/// that are not there are reported, and are exits::partly.
int create_virtual(const CreateOptions& options, const Surroundings& surroundings,
                   Session& session);

}  // namespace archway::proxy
