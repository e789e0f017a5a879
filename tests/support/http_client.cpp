#include "tests/support/http_client.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cctype>
#include <charconv>
#include <netinet/in.h>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

namespace archway::test {
namespace {

bool same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
    return std::tolower(x) == std::tolower(y);
  });
}

std::size_t number(std::string_view text, int base = 10) {
  std::size_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value, base);
  return value;
}

}  // namespace

std::string Answer::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (same_name(key, name)) return value;
  }
  return "";
}

HttpClient::HttpClient(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const timeval bound{.tv_sec = 10, .tv_usec = 0};
  setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof bound);
  setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &bound, sizeof bound);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    ::close(fd_);
    throw std::runtime_error("cannot connect to port " + std::to_string(port));
  }
}

HttpClient::~HttpClient() {
  if (fd_ >= 0) ::close(fd_);
}

void HttpClient::send(std::string_view method, std::string_view target, const Headers& headers) {
  std::string text = std::string(method) + " " + std::string(target) + " HTTP/1.1\r\n";
  const bool names_host = std::any_of(headers.begin(), headers.end(), [](const auto& header) {
    return same_name(header.first, "Host");
  });
  if (!names_host) text += "Host: gateway.test\r\n";
  for (const auto& [name, value] : headers) text += name + ": " + value + "\r\n";
  send_raw(text + "\r\n");
}

void HttpClient::send_raw(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;  // The answer, or its absence, will tell.
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

bool HttpClient::fill() {
  std::array<char, 64 * 1024> buffer{};
  const auto got = ::recv(fd_, buffer.data(), buffer.size(), 0);
  if (got <= 0) return false;
  input_.append(buffer.data(), static_cast<std::size_t>(got));
  return true;
}

Answer HttpClient::read_head() {
  Answer answer;
  std::size_t end = 0;
  while ((end = input_.find("\r\n\r\n")) == std::string::npos) {
    if (!fill()) return answer;
  }
  std::string_view block = std::string_view(input_).substr(0, end + 2);
  answer.status = static_cast<int>(number(block.substr(block.find(' ') + 1, 3)));
  block.remove_prefix(block.find("\r\n") + 2);
  while (!block.empty()) {
    const auto line = block.substr(0, block.find("\r\n"));
    const auto colon = line.find(": ");
    answer.headers.emplace_back(line.substr(0, colon), line.substr(colon + 2));
    block.remove_prefix(line.size() + 2);
  }
  input_.erase(0, end + 4);
  return answer;
}

std::string_view HttpClient::read_body(Answer& answer, std::size_t size) {
  const auto length = number(answer.header("Content-Length"));
  const auto want = std::min(size, length);
  while (answer.body.size() + input_.size() < want && fill()) {
  }
  const auto take = std::min(input_.size(), length - answer.body.size());
  answer.body += input_.substr(0, take);
  input_.erase(0, take);
  answer.complete = answer.body.size() == length;
  return answer.body;
}

void HttpClient::read_rest(Answer& answer, bool head_only) {
  if (answer.status == 0) return;
  if (head_only || answer.status == 304) {
    answer.complete = true;
    return;
  }
  if (answer.header("Transfer-Encoding") != "chunked") {
    read_body(answer, number(answer.header("Content-Length")));
    return;
  }
  for (;;) {
    std::size_t line = 0;
    while ((line = input_.find("\r\n")) == std::string::npos) {
      if (!fill()) return;
    }
    const auto size = number(std::string_view(input_).substr(0, line), 16);
    while (input_.size() < line + 2 + size + 2) {
      if (!fill()) return;
    }
    answer.body += input_.substr(line + 2, size);
    input_.erase(0, line + 2 + size + 2);
    if (size == 0) break;
  }
  answer.complete = true;
}

void HttpClient::abort() {
  const linger now{.l_onoff = 1, .l_linger = 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  ::close(fd_);
  fd_ = -1;
}

Answer fetch(std::uint16_t port, std::string_view target, const Headers& headers,
             std::string_view method) {
  HttpClient client(port);
  client.send(method, target, headers);
  auto answer = client.read_head();
  client.read_rest(answer, method == "HEAD");
  return answer;
}

}  // namespace archway::test
