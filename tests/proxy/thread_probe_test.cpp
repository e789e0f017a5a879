#include "proxy/thread_probe.hpp"

#include <doctest/doctest.h>
#include <functional>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace archway::proxy {
namespace {

/// What `says` says in a process of its own, whose user may have so many threads.
bool with_threads(rlim_t limit, const std::function<bool()>& says) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    constexpr uid_t nobody = 65534;  // The limit is not for root.
    const rlimit threads{.rlim_cur = limit, .rlim_max = limit};
    const bool limited = setrlimit(RLIMIT_NPROC, &threads) == 0;
    const bool ready = limited && (::geteuid() != 0 || ::setresuid(nobody, nobody, nobody) == 0);
    ::_exit(ready && says() ? 0 : 1);
  }
  int status = 1;
  ::waitpid(child, &status, 0);
  return status == 0;
}

TEST_CASE("as many threads as there are can be had, also again and again") {
  for (int i = 0; i < 3; ++i) CHECK(check_threads(20));
  CHECK(check_threads(0));
}

TEST_CASE("a system without so many threads is found out, and those that it gave are given back") {
  CHECK(with_threads(1, [] {
    const auto checked = check_threads(20);
    return !checked && checked.error().code == Errc::overloaded &&
           checked.error().message.find("needs 20") != std::string::npos &&
           !checked.error().context.empty() && check_threads(0);
  }));
}

}  // namespace
}  // namespace archway::proxy
