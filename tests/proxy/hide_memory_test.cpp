#include "proxy/hide_memory.hpp"

#include <doctest/doctest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace archway::proxy {
namespace {

TEST_CASE("a process that hid its memory leaves no core dump") {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    hide_memory();
    ::_exit(::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
#if defined(__SANITIZE_ADDRESS__)
  CHECK(WEXITSTATUS(status) == 1);
#else
  CHECK(WEXITSTATUS(status) == 0);
#endif
}

}  // namespace
}  // namespace archway::proxy
