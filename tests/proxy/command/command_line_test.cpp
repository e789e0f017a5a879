#include "proxy/command/command_line.hpp"

#include "tests/proxy/command/running.hpp"

#include <doctest/doctest.h>
#include <stdexcept>
#include <string>

namespace archway::proxy {
namespace {

TEST_CASE("what makes no sense is answered with the nearest word and exit code 2") {
  struct Row {
    const char* why;
    std::vector<std::string> arguments;
    const char* want;  ///< the first line
  };
  const Row rows[] = {
      {"a mistyped command", {"sevre"}, "archway: found \"sevre\"; did you mean serve?"},
      {"another one", {"cnofig"}, "archway: found \"cnofig\"; did you mean config?"},
      {"a command like nothing",
       {"frobnicate"},
       "archway: found \"frobnicate\"; allowed: serve, config, manifest, explain, client-config, "
       "doctor, status, ls, rm, pin, unpin, verify, gc, rebuild, warm, export, import, version or "
       "help"},
      {"a mistyped word of two",
       {"clientconfig"},
       "archway: found \"clientconfig\"; did you mean client-config?"},
      {"a mistyped option of a new command",
       {"explain", "alpine", "--jsno"},
       "archway explain: found \"--jsno\"; did you mean --json?"},
      {"a mistyped command below a command",
       {"config", "chekc"},
       "archway config: found \"chekc\"; did you mean check?"},
      {"a mistyped option",
       {"serve", "--cahce", "/c"},
       "archway serve: found \"--cahce\"; did you mean --cache?"},
      {"a mistyped option with its value",
       {"serve", "--cahce=/c"},
       "archway serve: found \"--cahce=/c\"; did you mean --cache?"},
      {"a word too many", {"serve", "now"}, "archway serve: found \"now\"; allowed: nothing more"},
      {"two commands",
       {"version", "serve"},
       "archway version: found \"serve\"; allowed: nothing more"},
      {"an option of another command",
       {"version", "--cache", "/c"},
       "archway version: found \"--cache\"; allowed: --help, -h, --json, --quiet, -q or "
       "--no-color"},
      {"help for no command", {"help", "sevre"}, "archway: found \"sevre\"; did you mean serve?"},
      {"an option without its value",
       {"serve", "--cache"},
       "archway serve: --cache: 1 required FOLDER missing"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.why);
    const Ran ran = run_with(row.arguments);
    CHECK(ran.code == exits::usage);
    CHECK(ran.out.empty());
    CHECK(ran.err.substr(0, ran.err.find('\n')) == row.want);
    CHECK_FALSE(ran.served.has_value());
  }
}

TEST_CASE("a command alone that needs another shows its usage on the error stream") {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{}, std::vector<std::string>{"config"},
        std::vector<std::string>{"manifest"}}) {
    const Ran ran = run_with(arguments);
    CHECK(ran.code == exits::usage);
    CHECK(ran.out.empty());
    CHECK(ran.err.find("Usage: archway") != std::string::npos);
  }
}

TEST_CASE("help is on the output stream, however it is asked for") {
  struct Row {
    std::vector<std::string> arguments;
    const char* part;
  };
  const Row rows[] = {
      {{"help"}, "Usage: archway [OPTIONS] [SUBCOMMAND]"},
      {{"--help"}, "Usage: archway [OPTIONS] [SUBCOMMAND]"},
      {{"-h"}, "Usage: archway [OPTIONS] [SUBCOMMAND]"},
      {{"help", "serve"}, "Usage: archway serve [OPTIONS]"},
      {{"serve", "--help"}, "Usage: archway serve [OPTIONS]"},
      {{"help", "config", "check"}, "Usage: archway config check [OPTIONS] [FILE]"},
      {{"config", "check", "-h"}, "Usage: archway config check [OPTIONS] [FILE]"},
      {{"explain", "--help"}, "Usage: archway explain [OPTIONS] IMAGE"},
      {{"help", "client-config"}, "Usage: archway client-config [OPTIONS] CLIENT"},
      {{"help", "doctor"}, "Usage: archway doctor [OPTIONS] [URL]"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.part);
    const Ran ran = run_with(row.arguments);
    CAPTURE(ran.out);
    CHECK(ran.code == exits::ok);
    CHECK(ran.out.find(row.part) != std::string::npos);
    CHECK(ran.err.empty());
  }
}

TEST_CASE("the version is printed by either name") {
  for (const char* argument : {"version", "--version"}) {
    const Ran ran = run_with({argument});
    CHECK(ran.code == exits::ok);
    REQUIRE(ran.out.starts_with("archway "));
    CHECK(ran.out.find_first_of("0123456789") == 8);
    CHECK(ran.out.find('\n') == ran.out.size() - 1);
  }
}

TEST_CASE("what is thrown is one line and exit code 1") {
  std::ostringstream out;
  std::ostringstream err;
  const char* const arguments[] = {"archway", "serve"};
  const Serve throws = [](const Settings&, const std::vector<std::string>&) -> int {
    throw std::runtime_error("the sky fell");
  };
  CHECK(run(2, arguments, {out, err, environment_of_test(), throws}) == exits::failed);
  CHECK(err.str() == "archway: the sky fell\n");
}

}  // namespace
}  // namespace archway::proxy
