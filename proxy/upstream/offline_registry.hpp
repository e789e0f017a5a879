#pragma once

#include "proxy/upstream/registry.hpp"

#include <memory>
#include <string>

namespace archway::proxy {

/// An upstream that is not asked, because the operator said so: every question is answered at once
/// by Errc::upstream_unreachable, with a sentence that says why.
std::unique_ptr<Registry> make_offline_registry(std::string upstream);

}  // namespace archway::proxy
