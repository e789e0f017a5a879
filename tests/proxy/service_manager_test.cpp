#include "proxy/service_manager.hpp"

#include "cache/blob_file.hpp"
#include "tests/support/temp_dir.hpp"

#include <array>
#include <cstring>
#include <doctest/doctest.h>
#include <map>
#include <string>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

namespace archway::proxy {
namespace {

using namespace std::chrono_literals;

Environment with(std::map<std::string, std::string> variables) {
  return {.variable = [variables = std::move(variables)](
                          const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  }};
}

/// Listens like a service manager.
class Listener {
 public:
  /// `name` as it stands in NOTIFY_SOCKET.
  explicit Listener(const std::string& name) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name.data(), name.size());
    if (name.starts_with('@')) address.sun_path[0] = '\0';
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    REQUIRE(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
    const timeval patience{.tv_sec = 20, .tv_usec = 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }
  std::string hear(int flags = 0) const {
    std::array<char, 100> text{};
    const auto size = ::recv(socket_.get(), text.data(), text.size(), flags);
    return size < 0 ? std::string() : std::string(text.data(), static_cast<std::size_t>(size));
  }
  /// What has come already.
  std::string hear_now() const { return hear(MSG_DONTWAIT); }

 private:
  cache::FileHandle socket_{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
};

TEST_CASE("the service manager is told by its socket, a path or an abstract name") {
  const test::TempDir dir;
  for (const auto& name :
       {(dir.path() / "notify").string(), "@archway-test-" + std::to_string(::getpid())}) {
    CAPTURE(name);
    const Listener listener(name);
    CHECK(ServiceManager(with({{"NOTIFY_SOCKET", name}})).tell("READY=1"));
    CHECK(listener.hear_now() == "READY=1");
  }
}

TEST_CASE("without a service manager nothing is told, and nothing fails") {
  CHECK(!ServiceManager(with({})).tell("READY=1"));
  CHECK(!ServiceManager(with({{"NOTIFY_SOCKET", "/nowhere/at/all"}})).tell("READY=1"));
  CHECK(!ServiceManager(with({{"NOTIFY_SOCKET", std::string(200, 'x')}})).tell("READY=1"));
}

TEST_CASE("the watchdog's time is the manager's, if it is meant for this process") {
  const auto self = std::to_string(::getpid());
  struct Row {
    const char* why;
    std::map<std::string, std::string> variables;
    std::optional<std::chrono::microseconds> patience;
  };
  for (const auto& row :
       std::vector<Row>{{"none", {}, {}},
                        {"for whoever reads it", {{"WATCHDOG_USEC", "30000000"}}, 30s},
                        {"for this one", {{"WATCHDOG_USEC", "500"}, {"WATCHDOG_PID", self}}, 500us},
                        {"for another", {{"WATCHDOG_USEC", "500"}, {"WATCHDOG_PID", "1"}}, {}},
                        {"no number", {{"WATCHDOG_USEC", "soon"}}, {}},
                        {"nothing", {{"WATCHDOG_USEC", "0"}}, {}},
                        {"too large", {{"WATCHDOG_USEC", "99999999999999999999"}}, {}}}) {
    CAPTURE(row.why);
    CHECK(ServiceManager(with(row.variables)).patience() == row.patience);
  }
}

TEST_CASE("the watchdog is fed while every loop answers, and not while one does not") {
  const test::TempDir dir;
  const auto name = (dir.path() / "notify").string();
  const Listener listener(name);
  const ServiceManager quiet(with({{"NOTIFY_SOCKET", name}}));
  bool well = true;
  const Watchdog by_hand(&quiet, [&](std::chrono::milliseconds) { return well; });
  CHECK(by_hand.look());
  CHECK(listener.hear_now() == "WATCHDOG=1");
  well = false;
  CHECK(!by_hand.look());
  CHECK(listener.hear_now() == "");
}

TEST_CASE("a manager that asks for signs of life gets them by itself") {
  const test::TempDir dir;
  const auto name = (dir.path() / "notify").string();
  const Listener listener(name);
  const ServiceManager manager(with({{"NOTIFY_SOCKET", name}, {"WATCHDOG_USEC", "3000"}}));
  const Watchdog watchdog(&manager, [](std::chrono::milliseconds) { return true; });
  for (int i = 0; i < 3; ++i) CHECK(listener.hear() == "WATCHDOG=1");
}

}  // namespace
}  // namespace archway::proxy
