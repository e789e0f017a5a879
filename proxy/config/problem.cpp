#include "proxy/config/problem.hpp"

namespace archway::proxy {

std::string ConfigProblem::str() const {
  if (line == 0) return file + ": " + message;
  return file + ":" + std::to_string(line) + ":" + std::to_string(column) + ": " + message;
}

}  // namespace archway::proxy
