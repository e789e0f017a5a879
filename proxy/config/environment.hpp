#pragma once

#include <functional>
#include <optional>
#include <string>

namespace archway::proxy {

/// What a configuration takes from the process: handed in, so that tests have their own.
struct Environment {
  std::function<std::optional<std::string>(const std::string& name)> variable;
  bool root = false;  ///< the effective user is root

  static Environment of_process();
};

}  // namespace archway::proxy
