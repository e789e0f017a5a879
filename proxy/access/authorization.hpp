#pragma once

#include "proxy/config/settings.hpp"
#include "proxy/http/message.hpp"
#include "proxy/wipe.hpp"
#include "resolver/model/result.hpp"

#include <optional>
#include <string>

namespace archway::proxy {

/// What a client shows of itself: a name and password, a token that an upstream gave it, or
/// nothing. It leaves no trace in memory: copies are made, and wiped, as it goes from hand to hand.
struct Shown {
  ~Shown() {
    if (basic) wipe(basic->password);
    wipe(bearer);
  }

  std::optional<Settings::Credentials> basic = {};
  std::string bearer = {};

  bool nothing() const { return !basic && bearer.empty(); }
};

/// Reads `Authorization`. An empty name with an empty password is nothing: podman and skopeo answer
/// a challenge with it when they have no credentials. So is a scheme that is neither Basic nor
/// Bearer.
///
/// Errors: Errc::request_invalid for more than one, or one that cannot be read. Source: RFC 7617,
/// RFC 6750 section 2.1.
Result<Shown> read_authorization(const Fields& fields);

}  // namespace archway::proxy
