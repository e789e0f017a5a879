#pragma once

#include <string>

namespace archway::proxy {

/// One thing in a configuration file that cannot be used.
struct ConfigProblem {
  std::string file;
  int line = 0;  ///< from 1; 0: the file as a whole
  int column = 0;
  std::string message;  ///< what was found, what is allowed, the nearest known word; no secrets

  /// `file:line:column: message`.
  std::string str() const;
};

}  // namespace archway::proxy
