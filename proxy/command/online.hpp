#pragma once

#include "proxy/config/settings.hpp"
#include "resolver/model/result.hpp"

#include <optional>
#include <string>
#include <vector>

namespace archway::proxy {

/// What an upstream said when a command asked it for its API, by its URL and with its credentials.
struct UpstreamAnswer {
  std::string name;
  std::string url;
  std::optional<Error> error = {};
};

/// What the upstream of a virtual image's member said about that.
struct MemberAnswer {
  std::string image;     ///< the virtual image
  std::string platform;  ///< that the member is for
  std::string member;    ///< where it should be
  std::optional<Error> error = {};
};

struct OnlineAnswers {
  std::vector<UpstreamAnswer> upstreams;  ///< in the order of the settings
  std::vector<MemberAnswer> members;
};

/// True when an upstream or a member did not answer as it should.
bool something_is_missing(const OnlineAnswers& answers);

/// Asks all upstreams of these settings, at once, for their API and for every member of a virtual
/// image: for its tag or digest, or, where the tag is the one that clients ask for, whether its
/// repository has tags at all. Takes as long as the slowest, within `settings.timeouts`.
///
/// Errors: Errc::configuration_invalid (a CA file that cannot be used).
Result<OnlineAnswers> ask_online(const Settings& settings);

}  // namespace archway::proxy
