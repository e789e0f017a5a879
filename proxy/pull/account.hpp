#pragma once

#include "metrics/log.hpp"
#include "metrics/metrics.hpp"
#include "proxy/http/message.hpp"
#include "resolver/client_platform.hpp"
#include "resolver/model/error.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace archway::proxy {

/// A name for one request, in its answer and in its log line: unlike that of any other of this
/// process, and hardly ever that of another one's. Threads: any.
std::string next_request_id();

/// What there is to say of one request when it has ended: the access line and the metrics. Filled
/// in on the way; closed exactly once, whatever happened.
struct Account {
  std::string id = next_request_id();  ///< X-Request-Id
  std::chrono::steady_clock::time_point begun = std::chrono::steady_clock::now();
  std::string kind = {};  ///< the route's word
  std::string upstream = {};
  std::string image = {};       ///< full name with tag or digest, as it was asked for
  std::string looked_for = {};  ///< the name that a rule made of it; "": the same
  std::string digest = {};      ///< of what was served
  std::string platform = {};
  std::string said_by = {};
  std::string why = {};  ///< of a refusal: for the log
  metrics::Outcome outcome = metrics::Outcome::none;
  std::vector<std::shared_ptr<void>> holds = {};  ///< what its answer needs until it has left
};

/// Notes an error: its outcome (refused when it is an answer about the request, failed otherwise)
/// and its context.
void note(Account& account, const Error& error);

/// What metrics and the log are told of a request that ended.
void count_request(const Account& account, std::uint16_t status, const Sent& sent,
                   std::chrono::duration<double> took, metrics::Metrics* metrics);
void log_request(const Account& account, const Request& request, std::uint16_t status,
                 const Sent& sent, std::chrono::duration<double> took, metrics::Log* log);

/// Writes the access line and counts the request.
void close_account(const Account& account, const Request& request, std::uint16_t status,
                   const Sent& sent, metrics::Log* log, metrics::Metrics* metrics);

}  // namespace archway::proxy
