#include "proxy/service_manager.hpp"

#include "cache/blob_file.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

namespace archway::proxy {

namespace {

std::optional<std::uint64_t> number(const std::optional<std::string>& text) {
  std::uint64_t value = 0;
  if (!text || text->empty()) return std::nullopt;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc() || end != text->data() + text->size()) return std::nullopt;
  return value;
}

}  // namespace

ServiceManager::ServiceManager(const Environment& environment) {
  address_ = environment.variable("NOTIFY_SOCKET").value_or("");
  if (address_.size() >= sizeof(sockaddr_un::sun_path)) address_.clear();
  if (address_.starts_with('@')) address_.front() = '\0';
  // The variables are inherited: they may be meant for another process.
  const auto meant = environment.variable("WATCHDOG_PID");
  if (meant && number(meant) != static_cast<std::uint64_t>(::getpid())) return;
  const auto microseconds = number(environment.variable("WATCHDOG_USEC"));
  constexpr std::uint64_t day = 86'400'000'000;
  if (microseconds && *microseconds > 0) {
    patience_ = std::chrono::microseconds(std::min(*microseconds, day));
  }
}

bool ServiceManager::tell(std::string_view state) const {
  if (address_.empty()) return false;
  const cache::FileHandle socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) return false;
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  std::memcpy(to.sun_path, address_.data(), address_.size());
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size());
  // Not waiting: a manager that reads nothing must not stop what it manages.
  return ::sendto(socket.get(), state.data(), state.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
                  reinterpret_cast<const sockaddr*>(&to),
                  size) == static_cast<ssize_t>(state.size());
}

Watchdog::Watchdog(const ServiceManager* manager, Answers answers)
    : manager_(manager), answers_(std::move(answers)) {
  constexpr int looks_within_patience = 3;
  if (!manager_->patience()) return;
  pause_ =
      std::chrono::ceil<std::chrono::milliseconds>(*manager_->patience() / looks_within_patience);
  thread_ = std::thread([this] { run(); });
}

Watchdog::~Watchdog() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

bool Watchdog::look() const {
  return answers_(pause_) && manager_->tell("WATCHDOG=1");
}

void Watchdog::run() {
  std::unique_lock lock(mutex_);
  while (!ending_) {
    lock.unlock();
    look();
    lock.lock();
    changed_.wait_for(lock, pause_, [this] { return ending_; });
  }
}

}  // namespace archway::proxy
