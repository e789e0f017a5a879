#include "proxy/config/problem.hpp"

#include <doctest/doctest.h>

namespace archway::proxy {
namespace {

TEST_CASE("a problem says file, line and column, or the file alone") {
  CHECK(ConfigProblem{"a.yaml", 3, 7, "found x"}.str() == "a.yaml:3:7: found x");
  CHECK(ConfigProblem{"a.yaml", 0, 0, "found x"}.str() == "a.yaml: found x");
}

}  // namespace
}  // namespace archway::proxy
