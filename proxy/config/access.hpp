#pragma once

#include "proxy/config/settings.hpp"
#include "resolver/model/result.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace archway::proxy {

/// Who has what archway fetched of an image: the first rule that matches, else its upstream's word.
Settings::Access access_for(const Settings& settings, const ImageName& image);

/// Can the pattern match an image of this upstream? Judged by what stands before its first
/// wildcard.
bool may_concern(const std::string& pattern, std::string_view upstream);

/// True when there may be images of this upstream for which clients show credentials of their own.
bool may_ask_clients(const Settings& settings, std::string_view upstream);
/// The same of any upstream.
bool may_ask_clients(const Settings& settings);

/// How long the upstream's word about a client's credentials is believed.
std::chrono::seconds recheck_of(const Settings& settings, std::string_view upstream);

/// True for an image that is fetched with the credentials of whoever asks, because archway has none
/// of its own.
bool is_borrowed(const Settings& settings, const ImageName& image);

/// `access.allow` and `access.deny`. Errors: Errc::denied, naming the pattern.
Result<void> check_listed(const Settings& settings, const ImageName& image);

}  // namespace archway::proxy
