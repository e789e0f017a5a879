#include "proxy/config/environment.hpp"

#include <cstdlib>
#include <doctest/doctest.h>
#include <unistd.h>

namespace archway::proxy {
namespace {

TEST_CASE("the process's own environment is the one that is read") {
  REQUIRE(::setenv("ARCHWAY_TEST_SET", "a value", 1) == 0);
  REQUIRE(::setenv("ARCHWAY_TEST_EMPTY", "", 1) == 0);
  REQUIRE(::unsetenv("ARCHWAY_TEST_NOT_SET") == 0);
  const Environment environment = Environment::of_process();
  CHECK(environment.variable("ARCHWAY_TEST_SET") == "a value");
  CHECK(environment.variable("ARCHWAY_TEST_EMPTY") == "");
  CHECK_FALSE(environment.variable("ARCHWAY_TEST_NOT_SET").has_value());
  CHECK(environment.root == (::geteuid() == 0));
}

}  // namespace
}  // namespace archway::proxy
