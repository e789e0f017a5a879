#pragma once

#include "proxy/http/reuse.hpp"
#include "proxy/pull/asked.hpp"
#include "proxy/pull/decide.hpp"
#include "proxy/pull/parts.hpp"

#include <memory>

namespace archway::proxy {

/// True when what a client gets may depend on its address.
bool answers_by_address(const Settings& settings);

/// Lets the answer that was made of `decided` be given again until anything changes that it may
/// depend on: the index (a tag, a purge, what was fetched or evicted), virtual images, what single
/// images run on; or its tag is no longer fresh. Each use is counted, logged and seen as if it had
/// been decided anew.
///
/// Null where an answer depends on more than that: on somebody's credentials, on what could not be
/// had at the moment; and where a client or the operator is told something by each answer.
std::shared_ptr<const Reuse> reuse_of(const PullShared& shared, const Asked& asked,
                                      const Decided& decided, const Response& response);

}  // namespace archway::proxy
