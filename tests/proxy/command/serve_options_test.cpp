#include "proxy/command/serve_options.hpp"

#include "tests/proxy/command/running.hpp"

#include <doctest/doctest.h>
#include <filesystem>
#include <string>

namespace archway::proxy {
namespace {

TEST_CASE("serve needs no configuration") {
  const Ran ran = run_with({"serve"});
  CHECK(ran.code == 7);
  REQUIRE(ran.served.has_value());
  CHECK(ran.served->listen.at(0).endpoint.str() == "0.0.0.0:5000");
  CHECK(ran.served->cache.directory == "/home/me/.cache/archway");
  CHECK((ran.out + ran.err).empty());
}

TEST_CASE("the help says what a running archway reads again") {
  const Ran ran = run_with({"serve", "--help"});
  CHECK(ran.code == 0);
  CHECK(ran.out.find("SIGHUP reads certificates and CA files again") != std::string::npos);
  CHECK(ran.out.find("needs a restart") != std::string::npos);
}

TEST_CASE("the configuration comes from the option, else from the environment") {
  const TempFolder folder;
  const std::string file = folder.write("a.yaml", "drain: 1s\n");
  const std::string other = folder.write("b.yaml", "drain: 2s\n");
  CHECK(run_with({"serve", "-c", file}).served->drain == std::chrono::seconds(1));
  CHECK(run_with({"serve", "--config", file}, other).served->drain == std::chrono::seconds(1));
  CHECK(run_with({"serve"}, other).served->drain == std::chrono::seconds(2));
  CHECK(run_with({"serve"}, "").served->drain == std::chrono::seconds(25));
}

TEST_CASE("options are stronger than the file") {
  const TempFolder folder;
  const std::string file = folder.write(
      "a.yaml", "listen: [{address: 0.0.0.0:80}]\ncache: {directory: /c, keep_free: 0}\n");
  const Ran ran = run_with({"serve", "-c", file, "--listen", "127.0.0.1:0", "--listen",
                            "[::1]:8080", "--cache", "rel/../x"});
  REQUIRE(ran.served.has_value());
  REQUIRE(ran.served->listen.size() == 2);
  CHECK(ran.served->listen[0].endpoint.str() == "127.0.0.1:0");
  CHECK(ran.served->listen[1].endpoint.str() == "[::1]:8080");
  CHECK(ran.served->cache.directory == std::filesystem::current_path() / "x");
  CHECK(ran.served->cache.keep_free == 0);
}

TEST_CASE("warnings go to the log, which serve has") {
  const TempFolder folder;
  const Ran ran = run_with({"serve", "-c", folder.write("a.yaml", "platforms: {default: a/b}\n")});
  CHECK(ran.served.has_value());
  CHECK(ran.warnings.size() == 1);
  CHECK(ran.err.empty());
}

TEST_CASE("a configuration that cannot be used is exit code 78 and every problem") {
  const TempFolder folder;
  const Ran ran = run_with({"serve", "-c", folder.write("a.yaml", "drain: 5\nadmin: 1\n")});
  CHECK(ran.code == exits::configuration);
  CHECK_FALSE(ran.served.has_value());
  CHECK(ran.err.find(":1:8: drain: ") != std::string::npos);
  CHECK(ran.err.find(":2:8: admin: ") != std::string::npos);
  const Ran missing = run_with({"serve", "-c", "/nowhere/a.yaml"});
  CHECK(missing.code == exits::configuration);
  CHECK(missing.err == "/nowhere/a.yaml: the file /nowhere/a.yaml does not exist\n");
}

TEST_CASE("options that cannot be used are exit code 2") {
  struct Row {
    const char* why;
    std::vector<std::string> listen;
    const char* want;
  };
  const Row rows[] = {
      {"no address", {"mirror.lan:80"}, "names are not looked up here\n"},
      {"a port alone", {"5000"}, "did you mean 0.0.0.0:5000?\n"},
      {"twice", {"127.0.0.1:80", "127.0.0.1:80"}, "--listen: 127.0.0.1:80 twice\n"},
      {"where admin is", {"0.0.0.0:5001"}, "is where admin is (127.0.0.1:5001)\n"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.why);
    std::vector<std::string> arguments = {"serve"};
    for (const std::string& listen : row.listen) {
      arguments.push_back("--listen");
      arguments.push_back(listen);
    }
    const Ran ran = run_with(arguments);
    CHECK(ran.code == exits::usage);
    CHECK(ran.err.starts_with("archway serve: --listen: "));
    CHECK(ran.err.ends_with(row.want));
    CHECK_FALSE(ran.served.has_value());
  }
}

}  // namespace
}  // namespace archway::proxy
