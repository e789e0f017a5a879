#include "proxy/config/read.hpp"

#include "tests/proxy/config/reading.hpp"

#include <doctest/doctest.h>
#include <string>

namespace archway::proxy {
namespace {

TEST_CASE("a file is read over the defaults") {
  const TempFolder folder;
  const auto outcome = read_settings(folder.write("a.yaml", "admin: none\ncache: {directory: c}\n"),
                                     environment_of_test());
  REQUIRE(outcome.settings.has_value());
  CHECK_FALSE(outcome.settings->admin.has_value());
  CHECK(outcome.settings->cache.directory == folder.path() / "c");
  CHECK(outcome.settings->upstreams.size() == 7);
}

TEST_CASE("problems bear the name of the file as it was given") {
  const TempFolder folder;
  const std::string path = folder.write("a.yaml", "\n  bogus: 1\n");
  const auto outcome = read_settings(path, environment_of_test());
  REQUIRE(outcome.problems.size() == 1);
  CHECK(outcome.problems[0].str().starts_with(path + ":2:3: found the unknown key \"bogus\""));
  CHECK(outcome.problems[0].file == path);
}

TEST_CASE("a file that cannot be read is one problem, without a line") {
  const TempFolder folder;
  struct Row {
    const char* why;
    std::string path;
    const char* want;
  };
  const Row rows[] = {
      {"nothing there", folder.path() / "none.yaml", "does not exist"},
      {"a folder", folder.path(), "is a folder"},
      {"more than 1 MiB", folder.write("big.yaml", std::string(config_bytes_max + 1, '\n')),
       "is larger than 1048576 bytes"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.why);
    const auto outcome = read_settings(row.path, environment_of_test());
    CHECK_FALSE(outcome.settings.has_value());
    REQUIRE(outcome.problems.size() == 1);
    CHECK(outcome.problems[0].str() == row.path + ": the file " + row.path + " " + row.want);
  }
}

TEST_CASE("a file of exactly the bound is read") {
  const TempFolder folder;
  const auto path = folder.write("big.yaml", std::string(config_bytes_max, '\n'));
  CHECK(read_settings(path, environment_of_test()).settings.has_value());
}

TEST_CASE("a password in a file that everybody can read is worth a warning") {
  const TempFolder folder;
  const auto path = folder.write(
      "a.yaml",
      "upstreams: [{name: a.lan, access: shared, credentials: {username: me, password: s3cret}}]",
      0644);
  const auto outcome = read_settings(path, environment_of_test());
  CHECK(outcome.settings.has_value());
  REQUIRE_FALSE(outcome.warnings.empty());
  CHECK(outcome.warnings[0].find("everybody on this machine") != std::string::npos);
}

}  // namespace
}  // namespace archway::proxy
