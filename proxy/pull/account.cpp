#include "proxy/pull/account.hpp"

#include "proxy/pull/refusal.hpp"

#include <array>
#include <atomic>
#include <charconv>
#include <random>
#include <utility>
#include <vector>

namespace archway::proxy {
namespace {

std::string word(Method method) {
  switch (method) {
    case Method::get: return "GET";
    case Method::head: return "HEAD";
    case Method::put: return "PUT";
    case Method::del: return "DELETE";
    case Method::other: break;
  }
  return "other";
}

}  // namespace

std::string next_request_id() {
  static const std::uint64_t run = std::random_device{}();
  static std::atomic<std::uint64_t> count = 0;
  std::array<char, 32> text{};
  char* end = std::to_chars(text.data(), text.data() + 16, run, 16).ptr;
  *end++ = '-';
  end = std::to_chars(end, text.data() + text.size(), ++count, 16).ptr;
  return {text.data(), end};
}

void note(Account& account, const Error& error) {
  account.outcome = status_of(error) < 500 ? metrics::Outcome::refused : metrics::Outcome::failed;
  account.why = error.context.empty() ? error.message : error.message + " (" + error.context + ")";
}

void count_request(const Account& account, std::uint16_t status, const Sent& sent,
                   std::chrono::duration<double> took, metrics::Metrics* metrics) {
  metrics->request({.kind = account.kind,
                    .outcome = account.outcome,
                    .upstream = account.upstream,
                    .platform = account.platform,
                    .status = status,
                    .bytes = sent.body_bytes,
                    .seconds = took.count()});
}

void log_request(const Account& account, const Request& request, std::uint16_t status,
                 const Sent& sent, std::chrono::duration<double> took, metrics::Log* log) {
  if (!log->enabled(metrics::Level::info)) return;
  std::vector<metrics::Field> fields;
  const auto text = [&](std::string_view key, const std::string& value) {
    if (!value.empty()) fields.push_back({key, value});
  };
  text("id", account.id);
  text("client", request.peer ? request.peer->address.str() : "");
  text("method", word(request.method));
  fields.push_back({"status", static_cast<std::int64_t>(status)});
  text("kind", account.kind);
  text("image", account.image);
  text("looked_for", account.looked_for);
  text("digest", account.digest);
  text("platform", account.platform);
  text("by", account.said_by);
  text("outcome", std::string(name(account.outcome)));
  fields.push_back({"bytes", sent.body_bytes});
  fields.push_back({"seconds", took.count()});
  if (!sent.complete) fields.push_back({"complete", false});
  text("why", account.why);
  if (account.kind.empty()) text("target", request.target);
  text("user_agent", std::string(request.fields.find("User-Agent")));
  log->info("request", std::move(fields));
}

void close_account(const Account& account, const Request& request, std::uint16_t status,
                   const Sent& sent, metrics::Log* log, metrics::Metrics* metrics) {
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - account.begun;
  count_request(account, status, sent, took, metrics);
  log_request(account, request, status, sent, took, log);
}

}  // namespace archway::proxy
