#pragma once

#include "proxy/pull/question.hpp"

#include <boost/asio/awaitable.hpp>
#include <memory>

namespace archway::proxy {

/// The verdict on an index. What the decision asks for on the way (an index within it, the config
/// of an entry without a platform) is fetched, as far as the resolver's bounds go; so the answer is
/// never Kind::load.
///
/// Errors: those that may be gone in a minute; what cannot be had otherwise counts as not there.
boost::asio::awaitable<Result<resolver::Verdict>> choose(PullParts* parts,
                                                         std::shared_ptr<const Question> question,
                                                         StoredManifest index);

}  // namespace archway::proxy
