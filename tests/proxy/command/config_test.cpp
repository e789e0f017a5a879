#include "proxy/command/config.hpp"

#include "tests/proxy/command/running.hpp"

#include <doctest/doctest.h>
#include <string>

namespace archway::proxy {
namespace {

TEST_CASE("config check prints every problem and counts them") {
  const TempFolder folder;
  const std::string file = folder.write("a.yaml", "drain: 5\ncahce: {}\n");
  const std::string want = file +
                           ":1:8: drain: found \"5\"; allowed: a whole number and one of ms, s, m, "
                           "h, d, such as 25s; did you mean 5s?\n" +
                           file +
                           ":2:1: found the unknown key \"cahce\" at the top; did you mean "
                           "cache?\n2 problems\n";
  const std::vector<std::vector<std::string>> ways = {{"config", "check", file},
                                                      {"config", "check", "-c", file},
                                                      {"config", "check", "--config=" + file}};
  for (const auto& arguments : ways) {
    const Ran ran = run_with(arguments);
    CHECK(ran.code == exits::configuration);
    CHECK(ran.out == want);
    CHECK(ran.err.empty());
  }
  CHECK(run_with({"config", "check"}, file).out == want);
  const std::string one = folder.write("b.yaml", "drain: 5\n");
  CHECK(run_with({"config", "check", one}).out.ends_with("\n1 problem\n"));
}

TEST_CASE("config check says that a file is valid, and what is unwise in it") {
  const TempFolder folder;
  const std::string file = folder.write("a.yaml", "platforms: {default: linx/arm64}\n");
  const Ran ran = run_with({"config", "check", file});
  CHECK(ran.code == exits::ok);
  CHECK(ran.out == "warning: " + file +
                       ":1:22: platforms.default: linx/arm64 is not a known platform; is it "
                       "misspelt?\n" +
                       file + ": valid\n");
}

TEST_CASE("config check needs a file") {
  for (const auto& variable : {std::optional<std::string>(), std::optional<std::string>("")}) {
    const Ran ran = run_with({"config", "check"}, variable);
    CHECK(ran.code == exits::usage);
    CHECK(ran.err.starts_with("archway config check: no file was named"));
  }
}

TEST_CASE("config show prints the settings in effect, secrets masked") {
  const TempFolder folder;
  const std::string file = folder.write("a.yaml",
                                        "upstreams: [{name: a.lan, access: shared, credentials: "
                                        "{username: me, password_env: SECRET}}]");
  const Ran ran = run_with({"config", "show", file});
  CHECK(ran.code == exits::ok);
  CHECK(ran.out.find("  - name: a.lan\n    url: https://a.lan\n    credentials:\n"
                     "      username: me\n      password: \"********\"\n") != std::string::npos);
  CHECK((ran.out + ran.err).find("s3cret") == std::string::npos);
  CHECK(ran.out.find("drain: 25s\n") != std::string::npos);
}

TEST_CASE("config show without a file prints the defaults; with a bad one its problems") {
  CHECK(run_with({"config", "show"}).out.find("directory: /home/me/.cache/archway\n") !=
        std::string::npos);
  const TempFolder folder;
  const Ran ran = run_with({"config", "show", folder.write("a.yaml", "a: b\n")});
  CHECK(ran.code == exits::configuration);
  CHECK(ran.out.empty());
  CHECK(ran.err.ends_with("\n1 problem\n"));
}

TEST_CASE("config defaults is a valid configuration") {
  const Ran ran = run_with({"config", "defaults"});
  CHECK(ran.code == exits::ok);
  const TempFolder folder;
  const std::string file = folder.write("a.yaml", ran.out);
  CHECK(run_with({"config", "check", file}).out == file + ": valid\n");
  CHECK(run_with({"config", "show", file}).out == run_with({"config", "show"}).out);
}

}  // namespace
}  // namespace archway::proxy
