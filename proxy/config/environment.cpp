#include "proxy/config/environment.hpp"

#include <cstdlib>
#include <unistd.h>

namespace archway::proxy {

Environment Environment::of_process() {
  const auto variable = [](const std::string& name) -> std::optional<std::string> {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): read at start, before there are threads.
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return value;
  };
  return {.variable = variable, .root = ::geteuid() == 0};
}

}  // namespace archway::proxy
