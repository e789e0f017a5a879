#include "proxy/config/read.hpp"
#include "tests/proxy/config/reading.hpp"

#include <chrono>
#include <doctest/doctest.h>
#include <string>

namespace archway::proxy {
namespace {

TEST_CASE("log and process settings that cannot be are reported") {
  const BadRow rows[] = {
      {"a level of another program", "log: {level: warning}\n",
       "1:14: log.level: found \"warning\"; allowed: debug, info, warn or error; did you mean "
       "warn?"},
      {"a format of another program", "log: {format: logfmt}\n",
       "1:15: log.format: found \"logfmt\"; allowed: auto, text or json"},
      {"a format in capitals", "log: {format: JSON}\n",
       "1:15: log.format: found \"JSON\"; allowed: auto, text or json; did you mean json?"},
      {"a negative drain", "drain: -1s\n",
       "1:8: drain: found \"-1s\"; allowed: a whole number and one of ms, s, m, h, d, such as 25s"},
      {"too many connections", "connections_max: 1000001\n",
       "1:18: connections_max: found \"1000001\"; allowed: a whole number from 1 to 1000000"},
  };
  check_refused(rows);
}

TEST_CASE("log and process settings are read") {
  const Settings settings = settings_of(
      "drain: 90s\nthreads: 4\nconnections_max: 100\nlog: {level: debug, format: json}\n"
      "offline: true\n");
  CHECK(settings.offline);
  CHECK(settings.drain == std::chrono::seconds(90));
  CHECK(settings.threads == 4);
  CHECK(settings.connections_max == 100);
  CHECK(settings.log_level == metrics::Level::debug);
  CHECK(settings.log_format == metrics::LogFormat::json);
}

TEST_CASE("a drain of zero and of 2000 ms are whole seconds") {
  CHECK(settings_of("drain: 0").drain == std::chrono::seconds(0));
  CHECK(settings_of("drain: 2000ms").drain == std::chrono::seconds(2));
}

}  // namespace
}  // namespace archway::proxy
