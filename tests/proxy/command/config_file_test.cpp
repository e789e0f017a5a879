#include "proxy/command/config_file.hpp"

#include <doctest/doctest.h>
#include <string>

namespace archway::proxy {
namespace {

TEST_CASE("the configuration file is the one that was named, else the environment's") {
  struct Row {
    const char* why;
    const char* named;
    std::optional<std::string> variable;
    std::optional<std::string> want;
  };
  const Row rows[] = {{"neither", "", std::nullopt, std::nullopt},
                      {"the option", "/a.yaml", std::nullopt, "/a.yaml"},
                      {"both", "/a.yaml", "/b.yaml", "/a.yaml"},
                      {"the variable", "", "/b.yaml", "/b.yaml"},
                      {"an empty variable is none", "", "", std::nullopt}};
  for (const Row& row : rows) {
    CAPTURE(row.why);
    std::string asked;
    Environment environment;
    environment.variable = [&](const std::string& name) {
      asked = name;
      return row.variable;
    };
    CHECK(config_file(row.named, environment) == row.want);
    if (std::string(row.named).empty()) CHECK(asked == "ARCHWAY_CONFIG");
  }
}

}  // namespace
}  // namespace archway::proxy
