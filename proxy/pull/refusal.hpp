#pragma once

#include "proxy/http/message.hpp"
#include "resolver/model/error.hpp"

#include <cstdint>
#include <string>

namespace archway::proxy {

/// The one place where an Error becomes a status: what the upstream said reaches the client as it
/// means (404 stays 404, 401 and 403 are DENIED), silence is 504, nonsense 502, overload 503 and
/// never 429, which containerd repeats six times at once.
std::uint16_t status_of(const Error& error);

/// The specification's error document: `{"errors":[{"code":…,"message":…}]}`. Clients print the
/// message, so it is a sentence for people; codes are registered ones only.
///
/// Source: OCI Distribution Spec v1.1, section "Error Codes".
Response refusal(const Error& error);

/// The same for a request that is not understood as HTTP; the connection ends with it.
Response refusal(std::uint16_t status, const std::string& why);

}  // namespace archway::proxy
