#pragma once

#include <string>
#include <vector>

namespace archway::test {

/// A whole request head that must be refused, each for one reason, and the status that says so.
struct BadHead {
  std::string why;
  std::string block;
  int status = 400;
};

/// Whatever two readers of HTTP could read differently, one by one: request lines, fields, bodies.
std::vector<BadHead> bad_heads();

}  // namespace archway::test
