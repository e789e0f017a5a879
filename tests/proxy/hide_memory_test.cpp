#include "proxy/hide_memory.hpp"

#include "tests/support/sanitizers.hpp"

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
  // What the address sanitizer looks through at the end must not be hidden from it.
  CHECK(WEXITSTATUS(status) == (test::address_sanitized ? 1 : 0));
}

}  // namespace
}  // namespace archway::proxy
