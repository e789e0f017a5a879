#include "tests/support/scripted_upstream.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <netinet/in.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>

namespace archway::test {
namespace {

using Script = ScriptedAnswer::Script;

bool same_name(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

ScriptedRequest read_request(const std::string& head, std::size_t connection) {
  ScriptedRequest request;
  request.connection = connection;
  std::size_t begin = 0;
  for (bool first = true;; first = false) {
    const auto end = head.find("\r\n", begin);
    if (end == std::string::npos || end == begin) break;
    const auto line = head.substr(begin, end - begin);
    begin = end + 2;
    if (first) {
      const auto space = line.find(' ');
      request.method = line.substr(0, space);
      request.target = line.substr(space + 1, line.rfind(' ') - space - 1);
      request.path = request.target.substr(0, request.target.find('?'));
      continue;
    }
    const auto colon = line.find(':');
    const auto value = line.find_first_not_of(' ', colon + 1);
    request.headers.emplace_back(line.substr(0, colon),
                                 value == std::string::npos ? "" : line.substr(value));
  }
  return request;
}

/// The first byte that a `Range: bytes=n-` or `bytes=n-m` asks for, and the one behind the last.
std::optional<std::pair<std::size_t, std::size_t>> range_of(const ScriptedRequest& request) {
  const auto text = request.header("Range");
  std::size_t first = 0;
  std::size_t last = std::string::npos - 1;
  if (std::sscanf(text.c_str(), "bytes=%zu-%zu", &first, &last) < 1) return std::nullopt;
  return std::pair(first, last + 1);
}

/// Obeys a Range: what is asked for of the body, with its header.
void apply_range(Script& script, const ScriptedRequest& request) {
  const auto range = script.ranges ? range_of(request) : std::nullopt;
  if (!range || script.status != 200) return;
  const auto size = script.body->size();
  const auto total = std::to_string(size);
  const auto [first, end] = *range;
  if (first >= size) {
    script.status = 416;
    script.headers.emplace_back("Content-Range", "bytes */" + total);
    script.body = std::make_shared<const std::string>();
    return;
  }
  script.status = 206;
  script.headers.emplace_back("Content-Range", "bytes " + std::to_string(first) + "-" +
                                                   std::to_string(std::min(end, size) - 1) + "/" +
                                                   total);
  script.body = std::make_shared<const std::string>(script.body->substr(first, end - first));
}

std::string head_of(const Script& script) {
  std::string head;
  for (const auto status : script.interim) {
    head += "HTTP/1.1 " + std::to_string(status) + " Wait\r\n\r\n";
  }
  head += "HTTP/1.1 " + std::to_string(script.status) + " Scripted\r\n";
  for (const auto& [name, value] : script.headers) head += name + ": " + value + "\r\n";
  if (script.chunk > 0) {
    head += "Transfer-Encoding: chunked\r\n";
  } else if (!script.no_length) {
    head +=
        "Content-Length: " + std::to_string(script.declared.value_or(script.body->size())) + "\r\n";
  }
  if (script.says_close) head += "Connection: close\r\n";
  return head + "\r\n";
}

bool send_piece(Wire& wire, const Script& script, std::string_view piece) {
  if (script.chunk == 0) return wire.send(piece);
  while (!piece.empty()) {
    const auto part = piece.substr(0, script.chunk);
    std::array<char, 24> size{};
    const int length = std::snprintf(size.data(), size.size(), "%zx\r\n", part.size());
    const std::string_view line(size.data(), static_cast<std::size_t>(length));
    if (!wire.send(line) || !wire.send(part) || !wire.send("\r\n")) return false;
    piece.remove_prefix(part.size());
  }
  return true;
}

/// Sends the body up to where the script ends it; false when the connection ends with that.
bool send_body(Wire& wire, const Script& script) {
  std::string bytes = *script.body;
  if (script.wrong_at && *script.wrong_at < bytes.size()) bytes[*script.wrong_at] ^= 1;
  const auto end = std::min({bytes.size(), script.cut_after.value_or(bytes.size()),
                             script.reset_after.value_or(bytes.size())});
  const bool ends_early = script.cut_after || script.reset_after;
  std::size_t at = 0;
  for (;;) {
    const auto hold = script.holds.find(at);
    if (hold != script.holds.end()) hold->second->pass();
    if (at >= end) break;
    const bool dripping = script.drip && !script.drip->pass();
    const auto next_hold = script.holds.upper_bound(at);
    auto until = next_hold == script.holds.end() ? end : std::min(end, next_hold->first);
    if (dripping) until = at + 1;
    if (until == bytes.size() && script.chunk == 0 && !ends_early &&
        !script.holds.contains(bytes.size())) {
      // In one piece with the end, so that nobody can have read the end before it is there.
      return wire.send(bytes.substr(at) + script.extra);
    }
    if (!send_piece(wire, script, std::string_view(bytes).substr(at, until - at))) return false;
    at = until;
  }
  if (script.reset_after) {
    wire.reset();
    return false;
  }
  if (script.cut_after) {
    wire.finish(script.close_notify);
    return false;
  }
  const auto last = script.chunk > 0 ? "0\r\n" + script.trailers + "\r\n" : std::string();
  return wire.send(last + script.extra);
}

std::size_t body_length(const ScriptedRequest& request) {
  const auto text = request.header("Content-Length");
  return text.empty() ? 0 : std::stoul(text);
}

/// False when the connection ends with this answer.
bool give(Wire& wire, const Script& script, const std::string& method) {
  if (script.before_head) script.before_head->pass();
  if (script.vanishes) {
    wire.reset();
    return false;
  }
  if (script.raw) {
    wire.send(*script.raw);
    wire.finish(script.close_notify);
    return false;
  }
  if (!wire.send(head_of(script))) return false;
  if (method != "HEAD" && !send_body(wire, script)) return false;
  if (script.after) {
    script.after->pass();
    return false;
  }
  if (script.ends) wire.finish(script.close_notify);
  return !script.ends;
}

}  // namespace

std::string ScriptedRequest::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (same_name(key, name)) return value;
  }
  return {};
}

ScriptedUpstream::ScriptedUpstream(const Options& options)
    : host_(options.loopback_v6 ? "[::1]" : "127.0.0.1") {
  std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
  if (options.tls) certificate_ = std::make_unique<TestCertificate>(options.certificate);
  sockaddr_storage address{};
  socklen_t size = sizeof(sockaddr_in);
  if (options.loopback_v6) {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_addr = in6addr_loopback;
    std::memcpy(&address, &v6, size = sizeof v6);
  } else {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    std::memcpy(&address, &v4, sizeof v4);
  }
  auto* const name = reinterpret_cast<sockaddr*>(&address);
  listener_ = ::socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (listener_ < 0 || ::bind(listener_, name, size) != 0 || ::listen(listener_, 512) != 0 ||
      ::getsockname(listener_, name, &size) != 0) {
    throw std::runtime_error(std::string("scripted upstream: ") + std::strerror(errno));
  }
  in_port_t port = 0;  // At the same place in both families.
  std::memcpy(&port, reinterpret_cast<const char*>(&address) + offsetof(sockaddr_in, sin_port),
              sizeof port);
  port_ = ntohs(port);
  acceptor_ = std::thread([this] { accept_all(); });
}

ScriptedUpstream::~ScriptedUpstream() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
    for (const auto& gate : gates_) gate->open();
  }
  acceptor_.join();
  for (auto& thread : threads_) thread.join();
  ::close(listener_);
}

std::string ScriptedUpstream::url() const {
  return (certificate_ ? "https://" : "http://") + host_ + ":" + std::to_string(port_);
}

ScriptedAnswer& ScriptedUpstream::Path::answer(unsigned status) {
  const std::lock_guard lock(upstream_.mutex_);
  auto& added = upstream_.answers_[path_].list.emplace_back(upstream_.mutex_);
  added.script_.status = status;
  return added;
}

void ScriptedUpstream::guard(std::string prefix, std::string authorization, std::string challenge) {
  const std::lock_guard lock(mutex_);
  std::erase_if(guards_, [&](const Guard& old) { return old.prefix == prefix; });
  guards_.push_back({std::move(prefix), {std::move(authorization)}, std::move(challenge)});
}

void ScriptedUpstream::admit(const std::string& prefix, std::string authorization) {
  const std::lock_guard lock(mutex_);
  for (auto& guard : guards_) {
    if (guard.prefix == prefix) guard.authorizations.insert(authorization);
  }
}

std::shared_ptr<Gate> ScriptedUpstream::gate() {
  const std::lock_guard lock(mutex_);
  return gates_.emplace_back(std::make_shared<Gate>());
}

std::vector<ScriptedRequest> ScriptedUpstream::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

std::size_t ScriptedUpstream::count_locked(std::string_view method, std::string_view path) const {
  return static_cast<std::size_t>(
      std::count_if(requests_.begin(), requests_.end(), [&](const ScriptedRequest& request) {
        return request.method == method && request.path == path;
      }));
}

std::size_t ScriptedUpstream::count(std::string_view method, std::string_view path) const {
  const std::lock_guard lock(mutex_);
  return count_locked(method, path);
}

std::size_t ScriptedUpstream::connections() const {
  const std::lock_guard lock(mutex_);
  return connections_;
}

bool ScriptedUpstream::wait_for(std::string_view method, std::string_view path,
                                std::size_t times) const {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, std::chrono::seconds(10),
                           [&] { return count_locked(method, path) >= times; });
}

void ScriptedUpstream::accept_all() {
  for (;;) {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    const std::lock_guard lock(mutex_);
    if (fd < 0 && !stopping_ && (errno == EINTR || errno == ECONNABORTED)) continue;
    if (fd < 0 || stopping_) {
      if (fd >= 0) ::close(fd);
      return;
    }
    open_.insert(fd);
    threads_.emplace_back([this, fd, number = connections_] { serve(fd, number); });
    ++connections_;
  }
}

void ScriptedUpstream::note(const ScriptedRequest& request) {
  const std::lock_guard lock(mutex_);
  requests_.push_back(request);
  changed_.notify_all();
}

Script ScriptedUpstream::next_answer(const ScriptedRequest& request) {
  const std::lock_guard lock(mutex_);
  for (const auto& guard : guards_) {
    if (!request.path.starts_with(guard.prefix)) continue;
    if (guard.authorizations.contains(request.header("Authorization"))) continue;
    Script refused{.status = 401};
    refused.headers.emplace_back("WWW-Authenticate", guard.challenge);
    return refused;
  }
  auto found = answers_.find(request.target);
  if (found == answers_.end()) found = answers_.find(request.path);
  if (found == answers_.end()) return Script{.status = 404};
  auto& answers = found->second;
  auto script = answers.list[std::min(answers.next, answers.list.size() - 1)].script_;
  ++answers.next;
  apply_range(script, request);
  return script;
}

void ScriptedUpstream::serve(int fd, std::size_t connection) {
  {
    Wire wire(fd, certificate_ ? certificate_->context() : nullptr);
    while (wire.good()) {
      const auto head = wire.read_head();
      if (head.empty()) break;
      auto request = read_request(head, connection);
      const auto script = next_answer(request);
      const auto length = body_length(request);
      request.body = wire.read(std::min(length, script.takes.value_or(length)));
      note(request);
      if (!give(wire, script, request.method)) break;
    }
    const std::lock_guard lock(mutex_);
    open_.erase(fd);  // before the descriptor is closed and given to somebody else
  }
}

}  // namespace archway::test
