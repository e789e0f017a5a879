#pragma once

#include "proxy/pull/question.hpp"

#include <boost/asio/awaitable.hpp>
#include <memory>

namespace archway::proxy {

/// The verdict on a tag that is one manifest and no index: pass, perhaps with a warning as its
/// message, or refuse. What the image runs on is in its config, which is read once and remembered.
///
/// It is waited for where the answer depends on it (`platforms.wrong: refuse`, `platforms.allow`,
/// an explanation). For a mere warning it is not: the first answer goes without, the config is read
/// meanwhile, and a wrong platform is logged.
///
/// Errors: those that may be gone in a minute, where it is waited for.
boost::asio::awaitable<Result<resolver::Verdict>> judge_single(
    PullParts* parts, std::shared_ptr<const Question> question, StoredManifest manifest);

/// The one log line for a wrong image that was handed out, once a minute for each.
void log_wrong_platform(const PullShared& shared, const std::string& image, const Digest& digest,
                        const std::string& what);

}  // namespace archway::proxy
