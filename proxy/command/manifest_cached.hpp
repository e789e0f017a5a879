#pragma once

#include "proxy/command/admin_answer.hpp"
#include "resolver/model/digest.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace archway::proxy {

/// Which of these objects a gateway has and would hand out under this image's name, in their order;
/// as many as were asked for; none when it does not say. `image` is the name that the gateway knows
/// it by: `docker.io/library/alpine`.
using AskCached = std::function<std::optional<std::vector<bool>>(const std::string& image,
                                                                 const std::vector<Digest>&)>;

/// Asks the admin port at `endpoint`; after one failure it is not asked again.
AskCached ask_cached_at(std::string endpoint);

/// What an admin port says of these objects, in their order. None for a refusal.
std::optional<std::vector<bool>> read_cached(const AdminAnswer& answer,
                                             const std::vector<Digest>& digests);

}  // namespace archway::proxy
