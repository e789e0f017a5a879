#pragma once

#include "proxy/upstream/answer_head.hpp"
#include "resolver/model/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace archway::proxy {

inline constexpr std::size_t error_answer_bytes_max = 16 * 1024;
inline constexpr std::size_t quoted_bytes_max = 1024;  ///< of an upstream's own words
inline constexpr std::uint32_t retry_after_max_s = 3600;
/// What a 429 without a time is taken to mean: also what clients are told.
inline constexpr std::uint32_t retry_after_s_default = 5;

/// What was asked for: decides what a 404 means.
enum class Wanted : std::uint8_t { manifest, blob, tags, referrers };

/// The Error that an upstream's refusal means, in words for the person at the client, with the
/// upstream's own message where it sent one as the specification has it. `body` may be empty.
///
/// Source: OCI Distribution Spec v1.1, section "Error Codes".
Error error_of_answer(const AnswerHead& head, const std::string& body, std::string_view upstream,
                      Wanted wanted);

/// The Error that a refusal to take something means; `what` says what was to be written where:
/// "the manifest app:1".
Error error_of_refused_write(const AnswerHead& head, const std::string& body,
                             std::string_view upstream, const std::string& what);

/// The same for a token service's answer.
Error error_of_token_service(const AnswerHead& head, std::string_view upstream,
                             std::string_view host, bool with_credentials);

/// The error with the upstream's name in front, where the message does not say it.
Error naming(Error error, const std::string& upstream);

/// Retry-After, in seconds from the answer's own Date (ours where it has none) when it is a date,
/// or Docker's older X-Retry-After, a Unix time; an hour at most. 0 when neither is there, or it is
/// over, or nothing that a time can be read from.
///
/// Source: RFC 9110 section 10.2.3.
std::uint32_t retry_after_s(const Fields& fields);

/// True for failures that say something about the upstream, not about what was asked of it:
/// silence, nonsense, overload. What is cached may stand in for them.
bool upstream_fails(const Error& error);

}  // namespace archway::proxy
