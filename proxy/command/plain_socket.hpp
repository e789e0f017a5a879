#pragma once

#include "proxy/config/settings.hpp"
#include "resolver/model/result.hpp"

#include <chrono>
#include <cstddef>
#include <string_view>
#include <utility>

namespace archway::proxy {

/// A connection of a command to a gateway: blocking calls that all end by one deadline. Owns the
/// descriptor.
///
/// Errors, all methods: Errc::upstream_unreachable; the message is what the system says, for others
/// to put into a sentence.
class PlainSocket {
 public:
  using Clock = std::chrono::steady_clock;

  /// The endpoint's address may be a name, too; that is looked up in the system's own time.
  static Result<PlainSocket> connect(const Settings::Endpoint& where, Clock::time_point deadline);

  PlainSocket(PlainSocket&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), deadline_(other.deadline_) {}
  PlainSocket(const PlainSocket&) = delete;
  PlainSocket& operator=(const PlainSocket&) = delete;
  ~PlainSocket();

  Result<void> send(std::string_view bytes);
  /// At least one byte, or 0 at the end.
  Result<std::size_t> receive(char* buffer, std::size_t size);

 private:
  PlainSocket(int fd, Clock::time_point deadline) : fd_(fd), deadline_(deadline) {}
  static Result<PlainSocket> dial(int family, const void* address, unsigned size,
                                  Clock::time_point deadline);
  Result<void> wait(short events) const;

  int fd_ = -1;
  Clock::time_point deadline_;
};

}  // namespace archway::proxy
